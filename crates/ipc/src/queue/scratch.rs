//! Memory in which a thread encodes and receives messages, kept for the next one.

use std::cell::Cell;

/// Memory larger than this is not kept.
const MOST: usize = 1 << 20;

type Memory = Option<Box<Vec<u8>>>;

thread_local! {
    static KEPT: Cell<Memory> = const { Cell::new(None) };
}

/// This thread's memory for messages, while it is in use. A message that is sent from within another one finds
/// none, and has its own.
#[derive(Debug)]
pub struct Scratch(Memory);

impl Scratch {
    /// Empty memory.
    #[inline]
    pub fn take() -> Self {
        Self(KEPT.take())
    }

    /// The memory: what was put there by this call, and nothing else.
    #[inline]
    pub fn vec(&mut self) -> &mut Vec<u8> {
        self.0.get_or_insert_default()
    }
}

impl Drop for Scratch {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut bytes) = self.0.take()
            && bytes.capacity() <= MOST
        {
            bytes.clear();
            KEPT.set(Some(bytes));
        }
    }
}
