//! Waiting for the first of several things.

use crate::Error;
use crate::bell::Hung;
use procession_shm::{Family, Held, RECHECK, families};
use procession_sys::Deadline;
use procession_sys::ready::{self, Watch};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Something that [`wait`] can wait for.
pub trait Waitable {
    /// Whether it is ready: a message can be got, an end is closed, a process has ended.
    fn is_ready(&self) -> bool;

    /// The shared object at whose doorbells its readiness is told.
    #[doc(hidden)]
    fn bells(&self) -> Option<&Held> {
        None
    }

    /// A descriptor that is readable when it is ready.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Waits until at least one of `objects` is ready; the indices of those that are, in order.
///
/// Any mixture of queues, connections, processes, and whatever else is [`Waitable`]. `None` waits for
/// ever; the result is empty only if the time was up.
///
/// # Errors
/// [`Error::System`] without a free descriptor for the poll, [`Error::TooManyPollers`].
///
/// # If a process dies
/// A process that ends is ready, and so is a connection whose other end died with it.
///
/// # Examples
/// ```
/// use procession_ipc::{Queue, wait};
/// use std::time::Duration;
///
/// let (full, empty) = (Queue::new()?, Queue::<u8>::new()?);
/// full.put(&1_u8)?;
/// assert_eq!(wait(&[&empty, &full], None)?, [1]);
/// assert_eq!(wait(&[&empty], Some(Duration::ZERO))?, []);
/// # Ok::<(), procession_ipc::Error>(())
/// ```
pub fn wait(objects: &[&dyn Waitable], timeout: Option<Duration>) -> Result<Vec<usize>, Error> {
    let deadline = Deadline::from(timeout);
    let first = ready(objects);
    if !first.is_empty() || deadline.expired() {
        return Ok(first);
    }
    let hung = objects
        .iter()
        .filter_map(|object| object.bells())
        .map(Hung::at)
        .collect::<Result<Vec<_>, _>>()?;
    loop {
        hung.iter().for_each(Hung::listen);
        let now = ready(objects);
        if !now.is_empty() || deadline.expired() {
            return Ok(now);
        }
        let bells = hung.iter().map(|hung| std::os::fd::AsFd::as_fd(&hung.bell));
        let descriptors = objects.iter().filter_map(|object| object.descriptor());
        let mut watches: Vec<Watch<'_>> = bells.chain(descriptors).map(Watch::readable).collect();
        ready::wait(&mut watches, deadline.within(RECHECK))
            .map_err(|source| Error::System { attempted: "poll", source })?;
        families().for_each(Family::look_for_deaths);
    }
}

fn ready(objects: &[&dyn Waitable]) -> Vec<usize> {
    objects.iter().enumerate().filter(|(_, object)| object.is_ready()).map(|(at, _)| at).collect()
}
