//! The place of a child in the shared memory; a stand-in on files until the ledger is there.
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use procession_sys::Deadline;
use procession_sys::process_status::ExitStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Status(ExitStatus),
    Unknown,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot(u64);

static N: AtomicU32 = AtomicU32::new(0);
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl Slot {
    fn path(self, what: &str) -> String {
        format!("/dev/shm/proc-stub/{:x}.{what}", self.0)
    }
    pub(crate) fn reserve() -> Result<Self> {
        fs::create_dir_all("/dev/shm/proc-stub")?;
        Ok(Self(u64::from(std::process::id()) << 32 | u64::from(N.fetch_add(1, Ordering::Relaxed))))
    }
    pub(crate) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
    pub(crate) fn to_raw(self) -> u64 {
        self.0
    }
    pub(crate) fn adopt(self) -> Result<()> {
        Ok(())
    }
    pub(crate) fn put<T: Serialize>(self, value: &T) -> Result<()> {
        fs::write(self.path("tmp"), postcard::to_stdvec(value)?)?;
        fs::rename(self.path("tmp"), self.path("parcel"))?;
        Ok(())
    }
    pub(crate) fn take<T: DeserializeOwned>(self) -> Result<T> {
        Ok(self.take_if_any()?.ok_or("nothing there")?)
    }
    pub(crate) fn take_if_any<T: DeserializeOwned>(self) -> Result<Option<T>> {
        let Ok(bytes) = fs::read(self.path("parcel")) else { return Ok(None) };
        fs::remove_file(self.path("parcel"))?;
        Ok(Some(postcard::from_bytes(&bytes)?))
    }
    pub(crate) fn withdraw(self) -> bool {
        fs::remove_file(self.path("parcel")).is_ok()
    }
    pub(crate) fn ended(self) -> Option<End> {
        let text = fs::read_to_string(self.path("exit")).ok()?;
        let raw: i64 = text.parse().ok()?;
        Some(if raw < 0 { End::Unknown } else { End::Status(ExitStatus::from_raw(raw as i32)) })
    }
    pub(crate) fn wait(self, deadline: Deadline) -> Option<End> {
        loop {
            if let Some(end) = self.ended() {
                return Some(end);
            }
            if deadline.expired() {
                return None;
            }
            #[expect(clippy::disallowed_methods, reason = "stub")]
            std::thread::sleep(std::time::Duration::from_micros(20));
        }
    }
    pub(crate) fn bury(self) {}
    pub(crate) fn conclude(self, end: End) {
        self.bury();
        let raw = match end {
            End::Status(status) => i64::from(status.to_raw()),
            End::Unknown => -1,
        };
        let _ = fs::write(self.path("tmp"), raw.to_string());
        let _ = fs::rename(self.path("tmp"), self.path("exit"));
    }
    pub(crate) fn release(self) {
        let _ = fs::remove_file(self.path("exit"));
        let _ = fs::remove_file(self.path("parcel"));
    }
}

pub(crate) fn family_fd() -> io::Result<OwnedFd> {
    Ok(fs::File::open("/dev/null")?.into())
}
pub(crate) fn join_family(_fd: OwnedFd, _raw: u64) -> Result<()> {
    Ok(())
}
pub(crate) fn after_fork() {}
