//! The Rust program that `examples/python/rust_worker.py` starts for its task `count`. Started by hand it does nothing:
//! its work comes from Python.

use procession::{Array, Queue, Tasks, Value};
use serde::{Deserialize, Serialize};

/// Whole numbers from one on to another: a dict in Python.
#[derive(Serialize, Deserialize)]
struct Range {
    first: u64,
    end: u64,
}

fn main() {
    procession::init_with(Tasks::new().add("count", count));
    println!("this program has one task, `count`, for procession.RustProcess in Python");
}

/// Counts the primes in the ranges that come until `None` does; how many ranges those were.
fn count(
    (number, ranges, total, found): (usize, Queue<Option<Range>>, Value<i64>, Array<u64>),
) -> Result<u64, String> {
    let mut done = 0;
    while let Some(range) = ranges.get().map_err(|error| error.to_string())? {
        let primes = (range.first..range.end).filter(|number| is_prime(*number)).count();
        *total.lock() += primes as i64;
        let before = found.get(number).ok_or("there is no place for this worker")?;
        found.set(number, before + primes as u64).map_err(|error| error.to_string())?;
        done += 1;
    }
    Ok(done)
}

fn is_prime(number: u64) -> bool {
    let root = number.isqrt();
    number > 1 && (2..=root).all(|divisor| !number.is_multiple_of(divisor))
}
