//! The status of a process that somebody else reaped.
//!
//! A child of the zygote whose zygote was killed is reaped by init. Since Linux 6.15 its pidfd still knows how it
//! ended ([`PIDFD_GET_INFO`](https://man7.org/linux/man-pages/man2/PIDFD_GET_INFO.2const.html)).

use std::os::fd::{AsFd, AsRawFd};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::Deadline;
use crate::process_status::ExitStatus;

/// `struct pidfd_info` in its first version.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

const INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xff, 11, struct pidfd_info)`.
const GET_INFO: u32 = 3 << 30 | 64 << 16 | 0xff << 8 | 11;

/// How the process behind `pidfd` ended, if it was reaped before the deadline and the kernel knows.
pub fn status_after_reap(pidfd: impl AsFd, deadline: Deadline) -> Option<ExitStatus> {
    // POLLHUP alone: the process is not only dead but reaped.
    let mut fds = [PollFd::new(&pidfd, PollFlags::empty())];
    let left = deadline.remaining().and_then(|left| Timespec::try_from(left).ok());
    // An interrupted poll only means that the answer below may come too early, and be none.
    let _ = rustix::event::poll(&mut fds, left.as_ref());
    let mut info = PidfdInfo { mask: INFO_EXIT, ..PidfdInfo::default() };
    let fd = pidfd.as_fd().as_raw_fd();
    // SAFETY: the request says that the structure has 64 bytes, and the kernel writes no more than that into it.
    // An old kernel, or a descriptor of another kind, refuses the request.
    let done = unsafe { libc::ioctl(fd, GET_INFO as _, &raw mut info) };
    (done == 0 && info.mask & INFO_EXIT != 0).then(|| ExitStatus::from_raw(info.exit_code))
}
