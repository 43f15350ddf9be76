//! What managers and their clients say: as two CPythons said it once, as those that are found here say it now, and as nobody
//! should.

mod cpython;
mod equality;
mod frames;
mod handshakes;
mod hostile;
mod sessions;
mod targets;

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
