//! What Python sends for the views of a dict, and for arrays: calls of a class, which are lists here.

use procession_wire::message::Argument;
use procession_wire::value::Value;

/// The items of `list([...])` or `array.array(code, bytes)`, as a list.
pub(super) fn items(value: &Argument<'_>) -> Option<Value> {
    let object = match value.describe() {
        // A call of `list`, which is known below.
        Ok(list @ Value::List(_)) => return Some(list),
        Ok(Value::Object(object)) => *object,
        _ => return None,
    };
    match object.args.as_slice() {
        [Value::Str(code), Value::Bytes(bytes)] if object.class.is("array", "array") => {
            numbers(code, bytes)
        }
        _ => None,
    }
}

/// The numbers of an array, which are in the order of bytes of the machine that sent them: here every machine's.
fn numbers(code: &str, bytes: &[u8]) -> Option<Value> {
    macro_rules! read {
        ($type:ty) => {
            bytes.as_chunks().0.iter().map(|bytes| <$type>::from_le_bytes(*bytes).into()).collect()
        };
    }
    Some(Value::List(match code {
        "b" => read!(i8),
        "B" => read!(u8),
        "h" => read!(i16),
        "H" => read!(u16),
        "i" => read!(i32),
        "I" => read!(u32),
        "l" | "q" => read!(i64),
        "L" | "Q" => read!(u64),
        "f" => bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f64::from(f32::from_le_bytes(*bytes)).into())
            .collect(),
        "d" => read!(f64),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_wire::message::{Scanner, answer};

    fn items_of(value: &Value) -> Option<String> {
        let mut bytes = Vec::new();
        answer::returned(&mut bytes, value);
        let mut scanner = Scanner::new();
        let Ok(procession_wire::message::Reply::Return(value)) = scanner.reply(&bytes) else {
            panic!("it is an answer")
        };
        items(&value).map(|items| items.to_string())
    }

    #[test]
    fn arrays_of_every_code_are_lists() {
        let array = |code: &str, bytes: &[u8]| {
            let args = vec![code.into(), Value::Bytes(bytes.to_vec())];
            items_of(&Value::call("array", "array", args))
        };
        for (code, width) in [("b", 1), ("h", 2), ("i", 4), ("l", 8), ("q", 8)] {
            assert_eq!(array(code, &vec![0xff; 2 * width]).as_deref(), Some("[-1, -1]"), "{code}");
        }
        for (code, number) in [("B", "1"), ("H", "1"), ("I", "1"), ("L", "1"), ("Q", "1")] {
            let found = array(code, &[1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
            assert!(found.starts_with(&format!("[{number}")), "{code}: {found}");
        }
        assert_eq!(array("f", &1.5_f32.to_le_bytes()).as_deref(), Some("[1.5]"));
        assert_eq!(array("d", &1.5_f64.to_le_bytes()).as_deref(), Some("[1.5]"));
        assert_eq!(array("u", b"abcd"), None);
    }

    #[test]
    fn the_view_of_a_dict_is_a_list_and_another_object_is_none() {
        let keys = Value::List(vec![Value::from(1_u8), Value::None]);
        let view = Value::call("builtins", "list", vec![keys]);
        assert_eq!(items_of(&view).as_deref(), Some("[1, None]"));
        assert_eq!(items_of(&Value::call("decimal", "Decimal", vec!["1".into()])), None);
        assert_eq!(items_of(&Value::None), None);
    }
}
