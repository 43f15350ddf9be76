//! Values as Python's `repr` writes them.

use super::{Class, Object, Value};
use std::fmt::{self, Write};

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        write(&mut out, self);
        f.write_str(&out)
    }
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Float(value) => float(out, *value),
        Value::Str(text) => quoted(out, text),
        Value::Bytes(value) => bytes(out, value),
        Value::ByteArray(value) => {
            out.push_str("bytearray(");
            bytes(out, value);
            out.push(')');
        }
        Value::List(values) => sequence(out, "[", values, "]"),
        Value::Tuple(values) if values.len() == 1 => sequence(out, "(", values, ",)"),
        Value::Tuple(values) => sequence(out, "(", values, ")"),
        Value::Set(values) if values.is_empty() => out.push_str("set()"),
        Value::Set(values) => sequence(out, "{", values, "}"),
        Value::FrozenSet(values) if values.is_empty() => out.push_str("frozenset()"),
        Value::FrozenSet(values) => sequence(out, "frozenset({", values, "})"),
        Value::Dict(pairs) => {
            out.push('{');
            for (place, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write(out, key);
                out.push_str(": ");
                write(out, value);
            }
            out.push('}');
        }
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Large(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Slice(parts) => sequence(out, "slice(", &**parts, ")"),
        Value::Class(class) => {
            let _ = write!(out, "<class '{}.{}'>", class.module, class.name);
        }
        Value::Object(object) => made(out, object),
        Value::Payload(payload) => {
            let _ = write!(out, "<object of {} bytes>", payload.len());
        }
    }
}

/// As the call that makes it, which is what exceptions look like, or as Python shows what has no `__repr__`.
fn made(out: &mut String, object: &Object) {
    let Class { module, name } = &object.class;
    if object.is_bare {
        let _ = write!(out, "<{module}.{name} object>");
        return;
    }
    if module != "builtins" {
        out.extend([module, "."]);
    }
    out.push_str(name);
    sequence(out, "(", &object.args, ")");
}

fn sequence(out: &mut String, open: &str, values: &[Value], close: &str) {
    out.push_str(open);
    for (place, value) in values.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { ", " });
        write(out, value);
    }
    out.push_str(close);
}

fn quote(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

fn quoted(out: &mut String, text: &str) {
    let quote = quote(text.contains('\''), text.contains('"'));
    out.push(quote);
    for one in text.chars() {
        match one {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            one if one == quote => out.extend(['\\', one]),
            one if one.is_control() => {
                let code = u32::from(one);
                let _ = write!(out, "\\x{code:02x}");
            }
            one => out.push(one),
        }
    }
    out.push(quote);
}

fn bytes(out: &mut String, bytes: &[u8]) {
    let quote = quote(bytes.contains(&b'\''), bytes.contains(&b'"'));
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => out.extend(['\\', quote]),
            0x20..0x7f => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
}

/// The shortest text that reads back as the same number; an exponent from 1e16 and below 1e-4.
fn float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("nan");
    } else if value.is_infinite() {
        out.push_str(if value < 0.0 { "-inf" } else { "inf" });
    } else if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        let _ = write!(out, "{digits}e{sign}{exponent:0>2}");
    } else {
        let _ = write!(out, "{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_python_writes_them() {
        let said = |value: Value| value.to_string();
        for (value, text) in [
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e300, "1e+300"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(said(Value::Float(value)), text);
        }
        assert_eq!(said(Value::Str("it's\n\u{1}é".to_owned())), "\"it's\\n\\x01é\"");
        assert_eq!(said(Value::Bytes(b"a'\"\xff".to_vec())), "b'a\\'\"\\xff'");
        assert_eq!(said(Value::Tuple(vec![Value::Bool(true)])), "(True,)");
        let pair = (Value::from(1_usize), Value::List(vec![Value::None]));
        assert_eq!(said(Value::Dict(vec![pair])), "{1: [None]}");
        assert_eq!(said(Value::Set(Vec::new())), "set()");
    }
}
