//! What is on its way to a client, and what of it must come back if it does not arrive.

use super::ident::Ident;
use crate::hosted::store::Kept;
use procession_wire::message::answer::Frame;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::rc::Rc;

/// Replies that have not been handed to the kernel, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// All of it, but large payloads.
    bytes: Vec<u8>,
    /// These, each with the place in `bytes` before which it belongs. They are sent from where they are kept.
    large: VecDeque<(usize, Rc<Kept>)>,
    /// How many bytes `large` has.
    large_bytes: usize,
    sent: usize,
    /// Items that left their queue, and where the reply ends that each is in.
    items: Vec<(usize, Ident, Rc<Kept>)>,
}

/// How much memory a buffer may keep that nobody uses at the moment.
const KEPT: usize = 1 << 20;

/// A payload of more than this is not copied.
const LARGE: usize = 32 << 10;

/// How many pieces are handed over at once.
const PIECES: usize = 16;

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        // A large payload has bytes before it.
        self.bytes.is_empty()
    }

    /// Whether it has a buffer.
    pub(super) fn has_buffer(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// How much waits.
    pub(super) fn left(&self) -> usize {
        self.end() - self.sent
    }

    fn end(&self) -> usize {
        self.bytes.len() + self.large_bytes
    }

    /// Where the next reply is to be written.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The next reply is that payload.
    pub(super) fn payload(&mut self, kept: &Rc<Kept>) {
        let frame = Frame::new(kept.payload());
        let [before, opcodes, behind] = frame.pieces();
        self.bytes.extend_from_slice(before);
        if opcodes.len() > LARGE {
            self.large.push_back((self.bytes.len(), Rc::clone(kept)));
            self.large_bytes += opcodes.len();
        } else {
            self.bytes.extend_from_slice(opcodes);
        }
        self.bytes.extend_from_slice(behind);
    }

    /// The reply that was written last holds an item of that queue.
    pub(super) fn carries(&mut self, queue: Ident, item: Rc<Kept>) {
        self.items.push((self.end(), queue, item));
    }

    /// Hands over as much as is taken. `true` if that was everything.
    pub(super) fn send(&mut self, to: &mut impl Write) -> io::Result<bool> {
        while self.left() > 0 {
            let taken = if self.large.is_empty() {
                to.write(&self.bytes[self.sent..])
            } else {
                self.send_pieces(to)
            };
            match taken {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => self.sent += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn send_pieces(&self, to: &mut impl Write) -> io::Result<usize> {
        let mut skip = self.sent;
        let mut pieces = Vec::with_capacity(PIECES);
        let mut from = 0;
        for (at, kept) in &self.large {
            pieces.extend(unsent(&self.bytes[from..*at], &mut skip));
            pieces.extend(unsent(Frame::new(kept.payload()).middle(), &mut skip));
            from = *at;
        }
        pieces.extend(unsent(&self.bytes[from..], &mut skip));
        pieces.truncate(PIECES);
        to.write_vectored(&pieces)
    }

    /// Everything has arrived at the kernel: the items are the client's. Those that name objects come out.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Rc<Kept>> {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.large.clear();
        self.large_bytes = 0;
        self.sent = 0;
        self.items.drain(..).map(|(_, _, item)| item).filter(|item| item.pins())
    }

    /// The client is gone: the items that it was not sent whole, the last one first. Under TLS what was taken may still
    /// have waited inside; then the tail has not gone.
    pub(super) fn undelivered(&mut self, has_tail_inside: bool) -> Vec<(Ident, Rc<Kept>)> {
        let (sent, all) = (self.sent, self.end());
        let is_lost = |end: usize| end > sent || (has_tail_inside && end == all);
        let items = self.items.drain(..).rev().filter(|(end, ..)| is_lost(*end));
        items.map(|(_, queue, item)| (queue, item)).collect()
    }
}

/// What is left of a piece after so many bytes of the whole were sent; none if that is nothing.
fn unsent<'a>(piece: &'a [u8], skip: &mut usize) -> Option<IoSlice<'a>> {
    let skipped = piece.len().min(*skip);
    *skip -= skipped;
    let rest = &piece[skipped..];
    (!rest.is_empty()).then(|| IoSlice::new(rest))
}
