//! What is on its way to a client, and what of it must come back if it does not arrive.

use super::ident::Ident;
use crate::hosted::store::Kept;
use std::io::{self, ErrorKind, Write};
use std::rc::Rc;

/// Replies that have not been handed to the kernel, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Items that left their queue, and where the reply ends that each is in.
    items: Vec<(usize, Ident, Rc<Kept>)>,
}

/// How much memory a buffer may keep that nobody uses at the moment.
const KEPT: usize = 1 << 20;

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it has a buffer.
    pub(super) fn has_buffer(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Where the next reply is to be written.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The reply that was written last holds an item of that queue.
    pub(super) fn carries(&mut self, queue: Ident, item: Rc<Kept>) {
        self.items.push((self.bytes.len(), queue, item));
    }

    /// Hands over as much as is taken. `true` if that was everything.
    pub(super) fn send(&mut self, to: &mut impl Write) -> io::Result<bool> {
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match to.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => self.sent += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Everything has arrived at the kernel: the items are the client's. Those that name objects come out.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Rc<Kept>> {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.sent = 0;
        self.items.drain(..).map(|(_, _, item)| item).filter(|item| item.pins())
    }

    /// The client is gone: the items that it was not sent whole, the last one first. Under TLS what was taken may still
    /// have waited inside; then the tail has not gone.
    pub(super) fn undelivered(&mut self, has_tail_inside: bool) -> Vec<(Ident, Rc<Kept>)> {
        let (sent, all) = (self.sent, self.bytes.len());
        let is_lost = |end: usize| end > sent || (has_tail_inside && end == all);
        let items = self.items.drain(..).rev().filter(|(end, ..)| is_lost(*end));
        items.map(|(_, queue, item)| (queue, item)).collect()
    }
}
