//! Pickles: what CPython writes is read, what is written CPython reads, and nothing breaks the
//! reader.

mod cpython;
mod hostile;
mod mapping;
mod plain;

/// What CPython wrote, by `golden.py`.
const GOLDEN: &str = include_str!("golden.txt");

struct Golden {
    name: &'static str,
    protocol: u8,
    found: &'static str,
    pickle: Vec<u8>,
}

fn golden() -> impl Iterator<Item = Golden> {
    GOLDEN.lines().map(|line| {
        let mut columns = line.split(' ');
        let mut next = || columns.next().unwrap();
        Golden {
            name: next(),
            protocol: next().parse().unwrap(),
            found: next(),
            pickle: plain::from_hex(next()),
        }
    })
}
