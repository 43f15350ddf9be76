//! Random numbers from the kernel.

/// A random number, never 0. Not for keys.
pub fn number() -> u64 {
    let mut bytes = [0_u8; 8];
    let flags = rustix::rand::GetRandomFlags::empty();
    let got = rustix::rand::getrandom(&mut bytes, flags).unwrap_or(0);
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |since| since.as_nanos() as u64);
    (if got == bytes.len() { u64::from_le_bytes(bytes) } else { clock }).max(1)
}
