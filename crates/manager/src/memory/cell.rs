//! Where a `Value` lies in the arena: a pickle that fits, or a mark that the value is with the server.

use procession_ipc::{Error, Shareable, Value};
use procession_shm::{Family, Handle, Held};
use procession_sys::{Deadline, crash_point};

/// Bytes of a cell: how long the pickle is, and the pickle.
const LEN: usize = 64;
/// A length that says that the value is with the server.
const AWAY: u8 = u8::MAX;

/// A value of any kind that processes share, as a pickle.
///
/// # If a process dies
/// The value is as it was before or after a [`set`](Self::set) of the dead one; never a mixture. Who waits meanwhile looks
/// for deaths, and goes on half a second later at most.
///
/// # Examples
/// ```
/// use procession_manager::memory::Cell;
/// use procession_sys::Deadline;
///
/// let cell = Cell::new()?;
/// let mut pickle = Vec::new();
/// assert!(cell.set(b"\x80\x04K\x05.", Deadline::never(), || false)?);
/// assert!(cell.get(&mut pickle, Deadline::never(), || false)?);
/// assert_eq!(pickle, b"\x80\x04K\x05.");
/// assert!(!cell.set(&[0; 64], Deadline::never(), || false)?, "it does not fit");
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Debug)]
pub struct Cell(Value<[u8; LEN]>);

impl Cell {
    /// One that says that the value is with the server.
    ///
    /// # Errors
    /// Of the arena.
    pub fn new() -> Result<Self, Error> {
        let mut bytes = [0; LEN];
        bytes[0] = AWAY;
        Value::new(bytes).map(Self)
    }

    /// That of the family which `handle` names.
    ///
    /// # Errors
    /// If it is gone, or nothing of the kind.
    pub fn attach(family: &'static Family, handle: Handle) -> Result<Self, Error> {
        Value::attach(family, handle).map(Self)
    }

    /// What this process holds of it.
    #[must_use]
    pub fn held(&self) -> &Held {
        self.0.held()
    }

    /// Puts the pickle of the value into `pickle`, which is emptied first; `false` if the value is with the server. Waits
    /// while another reads or writes it.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    #[inline]
    pub fn get(
        &self,
        pickle: &mut Vec<u8>,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<bool, Error> {
        pickle.clear();
        let bytes = *self.lock(deadline, interrupt)?;
        let [length, bytes @ ..] = &bytes;
        match bytes.get(..usize::from(*length)) {
            Some(bytes) => pickle.extend_from_slice(bytes),
            None if *length == AWAY => return Ok(false),
            None => return Err(Error::Corrupt("a value longer than its cell")),
        }
        Ok(true)
    }

    /// Sets the value; `false`, and it is as before, if the pickle does not fit. Waits while another reads or writes it.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    #[inline]
    pub fn set(
        &self,
        pickle: &[u8],
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<bool, Error> {
        let mut bytes = [0; LEN];
        let [length, rest @ ..] = &mut bytes;
        let Some(place) = rest.get_mut(..pickle.len()) else { return Ok(false) };
        place.copy_from_slice(pickle);
        *length = pickle.len() as u8;
        let mut place = self.lock(deadline, interrupt)?;
        crash_point!("manager.cell.locked");
        *place = bytes;
        Ok(true)
    }

    /// Says that the value is with the server.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub(crate) fn set_away(&self, deadline: Deadline) -> Result<(), Error> {
        let mut bytes = [0; LEN];
        bytes[0] = AWAY;
        *self.lock(deadline, || false)? = bytes;
        Ok(())
    }

    #[inline]
    fn lock(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<procession_ipc::value::ValueGuard<'_, [u8; LEN]>, Error> {
        match self.0.try_lock() {
            Some(guard) => Ok(guard),
            None => self.0.lock_until(deadline, interrupt),
        }
    }
}
