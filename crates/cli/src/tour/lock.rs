//! Two processes count with one value, one after the other. The tutorial's `09_lock.py`.

use super::work::work;
use crate::say;
use procession::{Error, Lock, Process, Value};
use std::time::Duration;

/// A process that is killed with a `Lock` leaves it locked, as in Python; a `Mutex` would go on.
const PATIENCE: Duration = Duration::from_secs(10);

fn job((l, v, num): (Lock, Value<i32>, i32)) {
    let _guard = l.lock_timeout(PATIENCE).expect("the other process needs a second");
    for _ in 0..10 {
        work(Duration::from_millis(100));
        let value = v.update(|value| value + num);
        say!("{value}");
    }
}

pub(super) fn run() -> Result<(), Error> {
    let l = Lock::new()?;
    let v = Value::new(0)?;
    let p1 = Process::spawn(job, (l.clone(), v.clone(), 1))?;
    let p2 = Process::spawn(job, (l, v, 3))?;
    let (first, second) = (p1.join(), p2.join());
    // If one was killed with the lock, the other one has waited in vain: the death is the reason.
    match (first, second) {
        (_, Err(death)) if death.is_peer_dead() => return Err(death.into()),
        (first, second) => first.and(second)?,
    }
    say!("End");
    Ok(())
}
