//! `Value('i', 0)`, `Value('d', 3.14)`, `Array('i', [1, 2, 3, 4])`. The tutorial's `08_value_array.py`.

use crate::say;
use procession::{Array, Error, Process, Value};
use std::any::type_name;

/// Beyond the tutorial: what a child changes, the parent sees.
fn change((value1, value2, array, table): (Value<i32>, Value<f64>, Array<i32>, Array<f64>)) {
    *value1.lock() += 1;
    value2.set(2.72);
    for number in array.lock().iter_mut() {
        *number *= 10;
    }
    table.lock().row_mut(1).fill(0.5);
}

fn show(value1: &Value<i32>, value2: &Value<f64>, array: &Array<i32>, table: &Array<f64>) {
    say!("value1: {} = {}", type_of(value1), value1.get());
    say!("value2: {} = {}", type_of(value2), value2.get());
    say!("array: {} {:?} = {:?}", type_of(array), array.shape(), array.to_vec());
    let rows = table.lock();
    say!("table: {} {:?} = {:?}", type_of(table), table.shape(), [rows.row(0), rows.row(1)]);
}

#[expect(clippy::approx_constant, reason = "the tutorial's number")]
pub(super) fn run() -> Result<(), Error> {
    let value1 = Value::new(0)?;
    let value2 = Value::new(3.14)?;
    let array = Array::new(&[1, 2, 3, 4])?;
    // The tutorial's array "can only be one-dimensional".
    let table = Array::with_shape(&[2, 3])?;
    show(&value1, &value2, &array, &table);

    let shared = (value1.clone(), value2.clone(), array.clone(), table.clone());
    Process::spawn(change, shared)?.join()?;
    say!("After a child has changed them:");
    show(&value1, &value2, &array, &table);
    Ok(())
}

/// `Value<i32>`, without the path.
fn type_of<T>(_: &T) -> &'static str {
    let name = type_name::<T>();
    let end = name.find('<').unwrap_or(name.len());
    name[..end].rfind("::").map_or(name, |at| &name[at + 2..])
}
