#![no_main]
#![expect(dead_code, reason = "the others are for the other targets")]

#[path = "../../crates/wire/tests/manager/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::pickle(bytes));
