//! What a thread holds at a manager, until it is dropped.

use super::lock;
use super::proxy::Proxy;
use procession_sys::forked;
use std::marker::PhantomData;

/// A lock or an entry that was acquired over this thread's connection, and is released over it.
#[derive(Debug)]
pub(super) struct Held<'a> {
    proxy: &'a Proxy,
    forked: u32,
    /// Another thread has another connection.
    _stays: PhantomData<*const ()>,
}

impl<'a> Held<'a> {
    pub(super) fn of(proxy: &'a Proxy) -> Self {
        Self { proxy, forked: forked::generation(), _stays: PhantomData }
    }

    pub(super) fn proxy(&self) -> &'a Proxy {
        self.proxy
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // In the child of a fork it is the parent's.
        if self.forked == forked::generation() {
            // A connection that is lost holds nothing any more.
            let _ = lock::release(self.proxy);
        }
    }
}
