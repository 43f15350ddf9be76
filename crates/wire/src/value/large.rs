//! Ints beyond 128 bits.

use std::fmt;

/// An `int` that does not fit into 128 bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Large(Box<[u8]>);

/// As many digits as CPython writes unless it is told otherwise (`sys.set_int_max_str_digits`).
const DIGITS: usize = 4300;

impl Large {
    /// From two's complement of the least length, which is more than 16.
    pub(super) fn of(shortest: &[u8]) -> Self {
        Self(shortest.into())
    }

    /// Two's complement, little-endian, in as few bytes as it needs.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is below 0.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|byte| byte & 0x80 != 0)
    }

    /// The nearest float; infinite if there is none.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        let magnitude = magnitude(&self.0);
        // All bits that a float can hold are in the last 16 bytes; below them counts only whether there is one.
        let cut = magnitude.len().saturating_sub(16);
        let (low, high) = magnitude.split_at(cut);
        let mut top = [0; 16];
        top[..high.len()].copy_from_slice(high);
        let sticky = u128::from(low.iter().any(|byte| *byte != 0));
        let exponent = i32::try_from(cut).map_or(i32::MAX, |cut| cut.saturating_mul(8));
        let scale = 2_f64.powi(exponent);
        let value = (u128::from_le_bytes(top) | sticky) as f64 * scale;
        if self.is_negative() { -value } else { value }
    }
}

/// The absolute value, little-endian, from two's complement.
fn magnitude(bytes: &[u8]) -> Vec<u8> {
    if bytes.last().is_none_or(|byte| byte & 0x80 == 0) {
        return bytes.to_vec();
    }
    negated(bytes)
}

/// Two's complement of the number with the other sign, in as many bytes.
pub(super) fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut carry = true;
    let flip = |byte: &u8| {
        let (byte, more) = (!byte).overflowing_add(u8::from(carry));
        carry = more;
        byte
    };
    bytes.iter().map(flip).collect()
}

/// In decimal; one of more digits than CPython would write is described.
impl fmt::Display for Large {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GROUP: u64 = 1_000_000_000;
        if self.0.len() * 2 > DIGITS {
            return write!(f, "<int of {} bits>", self.0.len() * 8);
        }
        // Groups of nine digits, the lowest first: times 256 and plus the next byte, from the top.
        let mut groups: Vec<u32> = Vec::new();
        for byte in magnitude(&self.0).iter().rev() {
            let mut carry = u64::from(*byte);
            for group in &mut groups {
                carry += u64::from(*group) << 8;
                *group = (carry % GROUP) as u32;
                carry /= GROUP;
            }
            if carry > 0 {
                groups.push(carry as u32);
            }
        }
        f.write_str(if self.is_negative() { "-" } else { "" })?;
        write!(f, "{}", groups.pop().unwrap_or(0))?;
        groups.iter().rev().try_for_each(|group| write!(f, "{group:09}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Value;

    fn power(bits: usize) -> Vec<u8> {
        let mut bytes = vec![0; bits / 8 + 1];
        bytes[bits / 8] = 1 << (bits % 8);
        bytes.push(0);
        bytes
    }

    #[test]
    fn large_ints_are_written_in_decimal() {
        let two_to_130 = Value::int_of(&power(130));
        assert_eq!(two_to_130.to_string(), "1361129467683753853853498429727072845824");
        let negative = Value::int_of(&super::negated(&power(130)));
        assert_eq!(negative.to_string(), "-1361129467683753853853498429727072845824");
        assert_eq!(negative.as_float(), Some(-(2_f64.powi(130))));
        assert_eq!(Value::int_of(&power(40_000)).to_string(), "<int of 40008 bits>");
        assert_eq!(Value::int_of(&power(40_000)).as_float(), Some(f64::INFINITY));
    }

    #[test]
    fn what_fits_is_no_large_int() {
        assert!(matches!(Value::int_of(&[]), Value::Int(0)));
        assert!(matches!(Value::int_of(&[0xff; 40]), Value::Int(-1)));
        assert!(matches!(Value::int_of(&power(126)), Value::Int(_)));
        assert!(matches!(Value::int_of(&power(127)), Value::Large(_)));
    }
}
