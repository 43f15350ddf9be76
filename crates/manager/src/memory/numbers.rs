//! Where the numbers of an `Array` lie in the arena: in one of the engine, of the type that its code says.

use super::code::{Code, Number};
use procession_ipc::sync::InnerLock;
use procession_ipc::{Array, Error, Plain, Shareable};
use procession_shm::{Family, Handle, Held, Region};
use procession_sys::{Deadline, crash_point};

/// The bytes of numbers that processes share, and the lock under which they are read and written.
#[derive(Debug)]
pub(crate) struct Numbers {
    bytes: Region,
    lock: InnerLock,
}

/// Where an array of the engine comes from.
enum Source {
    New { len: usize },
    There(&'static Family, Handle),
}

fn of_type<T: Plain>(source: &Source) -> Result<Option<Numbers>, Error> {
    let array = match source {
        Source::New { len } => Array::<T>::zeroed(*len)?,
        Source::There(family, handle) => Array::attach(family, *handle)?,
    };
    Ok(Some(Numbers { bytes: array.region(), lock: InnerLock::of(&array) }))
}

impl Numbers {
    /// Numbers with these bytes; `None` if the engine has no such type.
    ///
    /// # Errors
    /// Of the arena.
    pub(crate) fn new(code: Code, bytes: &[u8]) -> Result<Option<Self>, Error> {
        let numbers = Self::of(code, &Source::New { len: bytes.len() / code.width })?;
        Ok(numbers.inspect(|numbers| numbers.bytes.write(0, bytes)))
    }

    /// Those of the family which `handle` names; `None` if the engine has no such type.
    ///
    /// # Errors
    /// If they are gone, or nothing of the kind.
    pub(crate) fn attach(
        family: &'static Family,
        handle: Handle,
        code: Code,
    ) -> Result<Option<Self>, Error> {
        Self::of(code, &Source::There(family, handle))
    }

    fn of(code: Code, source: &Source) -> Result<Option<Self>, Error> {
        match (code.number, code.width) {
            (Number::Character, _) => Ok(None),
            (Number::Float, 4) => of_type::<f32>(source),
            (Number::Float, _) => of_type::<f64>(source),
            (Number::Signed, 1) => of_type::<i8>(source),
            (Number::Signed, 2) => of_type::<i16>(source),
            (Number::Signed, 4) => of_type::<i32>(source),
            (Number::Signed, _) => of_type::<i64>(source),
            (Number::Unsigned, 1) => of_type::<u8>(source),
            (Number::Unsigned, 2) => of_type::<u16>(source),
            (Number::Unsigned, 4) => of_type::<u32>(source),
            (Number::Unsigned, _) => of_type::<u64>(source),
        }
    }

    /// What this process holds of them.
    pub(crate) fn held(&self) -> &Held {
        self.lock.held()
    }

    /// How many bytes they are.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Copies bytes from `at` on. Waits while another reads or writes.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub(crate) fn read(
        &self,
        at: usize,
        to: &mut [u8],
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.locked(deadline, interrupt, || self.bytes.read(at, to))
    }

    /// Copies bytes to `at`. Waits while another reads or writes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn write(
        &self,
        at: usize,
        from: &[u8],
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.locked(deadline, interrupt, || self.bytes.write(at, from))
    }

    fn locked(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
        work: impl FnOnce(),
    ) -> Result<(), Error> {
        if !self.lock.try_acquire() {
            self.lock.acquire_until(deadline, interrupt)?;
        }
        crash_point!("manager.numbers.locked");
        work();
        crash_point!("manager.numbers.before_release");
        self.lock.release()
    }
}
