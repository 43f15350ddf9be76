//! The type codes of `array.array`: numbers as values, and as bytes of this machine.

use procession_wire::message::Exception;
use procession_wire::value::Value;

/// A type code of CPython's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The code itself.
    pub(crate) letter: char,
    /// Bytes of a number.
    pub(crate) width: usize,
    pub(crate) number: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Signed,
    Unsigned,
    Float,
    Character,
}

impl Code {
    pub(crate) fn of(code: &str) -> Option<Self> {
        let mut chars = code.chars();
        let (Some(code), None) = (chars.next(), chars.next()) else { return None };
        let (width, number) = match code {
            'b' => (1, Number::Signed),
            'B' => (1, Number::Unsigned),
            'h' => (2, Number::Signed),
            'H' => (2, Number::Unsigned),
            'i' => (4, Number::Signed),
            'I' => (4, Number::Unsigned),
            'l' | 'q' => (8, Number::Signed),
            'L' | 'Q' => (8, Number::Unsigned),
            'f' => (4, Number::Float),
            'd' => (8, Number::Float),
            'u' | 'w' => (4, Number::Character),
            _ => return None,
        };
        Some(Self { letter: code, width, number })
    }

    /// Appends the bytes of a value, as this machine writes them.
    ///
    /// # Errors
    /// What Python raises for a value that is no such number.
    pub(crate) fn write(self, value: &Value, to: &mut Vec<u8>) -> Result<(), Exception> {
        match self.number {
            Number::Float => {
                let Some(number) = value.as_float() else {
                    let name = value.type_name();
                    return Err(type_error(&format!("must be real number, not {name}")));
                };
                if self.width == 4 {
                    to.extend((number as f32).to_ne_bytes());
                } else {
                    to.extend(number.to_ne_bytes());
                }
            }
            Number::Character => {
                let mut chars = value.as_str().unwrap_or_default().chars();
                let (Some(one), None) = (chars.next(), chars.next()) else {
                    return Err(type_error("array item must be a unicode character"));
                };
                to.extend(u32::from(one).to_ne_bytes());
            }
            Number::Signed | Number::Unsigned => {
                let Some(number) = value.as_int() else {
                    let name = value.type_name();
                    let text = format!("'{name}' object cannot be interpreted as an integer");
                    return Err(type_error(&text));
                };
                let bits = u32::try_from(self.width).unwrap_or(8) * 8;
                let (least, most) = if self.number == Number::Signed {
                    (-(1_i128 << (bits - 1)), (1 << (bits - 1)) - 1)
                } else {
                    (0, (1 << bits) - 1)
                };
                if number < least || number > most {
                    let side =
                        if number < least { "less than minimum" } else { "greater than maximum" };
                    let text = format!("integer of an array of '{}' is {side}", self.letter);
                    return Err(raised("OverflowError", &text));
                }
                let all = number.to_ne_bytes();
                let low = if cfg!(target_endian = "little") {
                    &all[..self.width]
                } else {
                    &all[all.len() - self.width..]
                };
                to.extend(low);
            }
        }
        Ok(())
    }

    /// The value of these bytes, of which there are [`width`](Self::width).
    pub(crate) fn read(self, bytes: &[u8]) -> Value {
        match (self.number, bytes) {
            (Number::Float, &[a, b, c, d]) => Value::Float(f32::from_ne_bytes([a, b, c, d]).into()),
            (Number::Float, bytes) => {
                Value::Float(bytes.try_into().map_or(f64::NAN, f64::from_ne_bytes))
            }
            (Number::Character, bytes) => {
                let code = bytes.try_into().map_or(0, u32::from_ne_bytes);
                Value::Str(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
            }
            (signed, bytes) => {
                let negative = |most: u8| signed == Number::Signed && most >= 0x80;
                let most =
                    if cfg!(target_endian = "little") { bytes.last() } else { bytes.first() };
                let fill = if negative(most.copied().unwrap_or(0)) { 0xff } else { 0 };
                let mut all = [fill; 16];
                let whole = all.len();
                if cfg!(target_endian = "little") {
                    all[..bytes.len()].copy_from_slice(bytes);
                } else {
                    all[whole - bytes.len()..].copy_from_slice(bytes);
                }
                Value::Int(i128::from_ne_bytes(all))
            }
        }
    }
}

fn raised(name: &str, text: &str) -> Exception {
    Exception::new("builtins", name, vec![text.into()])
}

fn type_error(text: &str) -> Exception {
    raised("TypeError", text)
}
