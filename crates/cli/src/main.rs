//! The `procession` command.
#![forbid(unsafe_code)]
fn main() {}
