//! What the README shows.

use procession::{Pool, Process, Queue};

fn main() -> Result<(), procession::Error> {
    procession::init(); // the first line: a child never returns from it

    let queue = Queue::new()?;
    let child = Process::spawn(|queue: Queue<u32>| queue.put(&42).unwrap(), queue.clone())?;
    assert_eq!(queue.get()?, 42);
    child.join()?;

    let pool = Pool::new(4)?;
    assert_eq!(pool.map(|n: u64| n * n, 0..5)?, [0, 1, 4, 9, 16]);
    let lost = pool.apply(|_: ()| std::process::abort(), ()).map(|never: ()| never);
    println!("{}", lost.unwrap_err()); // worker 4711 was killed by SIGABRT with task 6; ...
    assert_eq!(pool.apply(|n: u64| n + 1, 1)?, 2);
    Ok(())
}
