//! The exceptions that CPython's objects raise, in its words.

use procession_wire::message::Exception;
use procession_wire::value::Value;

fn builtin(name: &str, text: impl Into<String>) -> Exception {
    Exception::new("builtins", name, vec![Value::Str(text.into())])
}

macro_rules! builtins {
    ($($function:ident $name:literal),* $(,)?) => {$(
        #[doc = concat!("`", $name, "` with a text.")]
        pub(crate) fn $function(text: impl Into<String>) -> Exception {
            builtin($name, text)
        }
    )*};
}

builtins! {
    attribute_error "AttributeError",
    connection_refused "ConnectionRefusedError",
    index_error "IndexError",
    memory_error "MemoryError",
    runtime_error "RuntimeError",
    type_error "TypeError",
    value_error "ValueError",
}

/// `KeyError` with the key.
pub(crate) fn key_error(key: Value) -> Exception {
    Exception::new("builtins", "KeyError", vec![key])
}

/// The end of an iterator.
pub(crate) fn stop_iteration() -> Exception {
    Exception::new("builtins", "StopIteration", Vec::new())
}

/// `queue.Empty`. Its home since 3.7 is `_queue`, but `queue` has it on every interpreter.
pub(crate) fn empty() -> Exception {
    Exception::new("queue", "Empty", Vec::new())
}

/// `queue.Full`.
pub(crate) fn full() -> Exception {
    Exception::new("queue", "Full", Vec::new())
}

/// `queue.ShutDown`, which CPython has from 3.13.
pub(crate) fn shut_down() -> Exception {
    Exception::new("queue", "ShutDown", Vec::new())
}

/// `threading.BrokenBarrierError`.
pub(crate) fn broken_barrier() -> Exception {
    Exception::new("threading", "BrokenBarrierError", Vec::new())
}
