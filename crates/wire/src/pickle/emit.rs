//! Single values as opcodes, in the form that CPython would choose.

use super::op;

fn with_length<const N: usize>(to: &mut Vec<u8>, code: u8, length: [u8; N], bytes: &[u8]) {
    to.push(code);
    to.extend_from_slice(&length);
    to.extend_from_slice(bytes);
}

/// A str.
pub(crate) fn text(to: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let len = bytes.len();
    if let Ok(len) = u8::try_from(len) {
        with_length(to, op::SHORT_BINUNICODE, [len], bytes);
    } else if let Ok(len) = u32::try_from(len) {
        with_length(to, op::BINUNICODE, len.to_le_bytes(), bytes);
    } else {
        with_length(to, op::BINUNICODE8, (len as u64).to_le_bytes(), bytes);
    }
}

/// A bytes.
pub(crate) fn bytes(to: &mut Vec<u8>, value: &[u8]) {
    let len = value.len();
    if let Ok(len) = u8::try_from(len) {
        with_length(to, op::SHORT_BINBYTES, [len], value);
    } else if let Ok(len) = u32::try_from(len) {
        with_length(to, op::BINBYTES, len.to_le_bytes(), value);
    } else {
        with_length(to, op::BINBYTES8, (len as u64).to_le_bytes(), value);
    }
}

/// A bytearray. Protocol 4 has none, but whoever reads it (from CPython 3.8 on) knows the opcode of protocol 5.
pub(crate) fn byte_array(to: &mut Vec<u8>, value: &[u8]) {
    with_length(to, op::BYTEARRAY8, (value.len() as u64).to_le_bytes(), value);
}

/// A bool.
pub(crate) fn boolean(to: &mut Vec<u8>, value: bool) {
    to.push(if value { op::NEWTRUE } else { op::NEWFALSE });
}

/// A float.
pub(crate) fn float(to: &mut Vec<u8>, value: f64) {
    with_length(to, op::BINFLOAT, value.to_be_bytes(), &[]);
}

/// An int.
#[inline]
pub(crate) fn int(to: &mut Vec<u8>, value: i64) {
    if let Ok(value) = u8::try_from(value) {
        to.extend([op::BININT1, value]);
    } else if let Ok(value) = u16::try_from(value) {
        with_length(to, op::BININT2, value.to_le_bytes(), &[]);
    } else if let Ok(value) = i32::try_from(value) {
        with_length(to, op::BININT, value.to_le_bytes(), &[]);
    } else {
        long(to, &value.to_le_bytes());
    }
}

/// An int that may be larger.
pub(crate) fn large_int(to: &mut Vec<u8>, value: i128) {
    match i64::try_from(value) {
        Ok(value) => int(to, value),
        Err(_) => long(to, &value.to_le_bytes()),
    }
}

/// An int in two's complement, little-endian, of at least one byte.
pub(crate) fn long(to: &mut Vec<u8>, value: &[u8]) {
    let value = shortest(value);
    if let Ok(len) = u8::try_from(value.len()) {
        with_length(to, op::LONG1, [len], value);
    } else {
        // The length is signed, but what is near its end is no int that somebody waits for.
        with_length(to, op::LONG4, (value.len() as u32).to_le_bytes(), value);
    }
}

/// The same int, in two's complement, without the bytes that it does not need.
pub(crate) fn shortest(value: &[u8]) -> &[u8] {
    let is_negative = value.last().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if is_negative { 0xff } else { 0 };
    let mut len = value.len();
    while len > 1 && value[len - 1] == fill && (value[len - 2] & 0x80 != 0) == is_negative {
        len -= 1;
    }
    &value[..len]
}

/// A class or function by its name.
pub(crate) fn global(to: &mut Vec<u8>, module: &str, name: &str) {
    text(to, module);
    text(to, name);
    to.push(op::STACK_GLOBAL);
}
