//! Starting this program again as a part of itself.
//!
//! `posix_spawn` of `/proc/self/exe`: the same file even if it was replaced since, and a cost that does not grow with
//! this process. The control socket is the new image's stdin, so nothing has to be done between fork and exec, and
//! no other start can inherit it by accident.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::Duration;

use procession_sys::signal_name::Signal;
use procession_sys::{Deadline, boot, fd_pass, image::Build, pidfd::Pidfd, poll};

use super::order::{Boot, LONGEST, Surroundings};
use super::slot::{self, Slot};
use super::{child, lifeline, zygote_loop};
use crate::python::Tasks;
use crate::start::order::Request;

/// What a new image is told to be, in the variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Zygote,
    Exec,
    /// A program that a process in another language started for one of its tasks.
    Task,
}

const ROLES: [Role; 3] = [Role::Zygote, Role::Exec, Role::Task];

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Zygote => "zygote",
            Self::Exec => "exec",
            Self::Task => "task",
        }
    }
}

/// How long a new image may take to reach `init` before it is killed: far more than any loader needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one whose socket has ended may take to end itself before it is killed.
const EXIT: Duration = Duration::from_secs(1);

/// A new image that has reached `init`.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) control: OwnedFd,
    pub(super) child: Child,
    pub(super) pidfd: Pidfd,
}

/// Starts it, tells it who it is, and waits until it is ready. `Ok(None)`: somebody killed it before it was.
pub(super) fn start(
    role: Role,
    slot: Slot,
    surroundings: &Surroundings,
) -> io::Result<Option<Image>> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        std::os::unix::process::CommandExt::arg0(&mut command, name);
    }
    command.args(arguments);
    start_command(command, role, slot, surroundings)
}

/// The same with a program of its own and its arguments.
pub(super) fn start_command(
    mut command: Command,
    role: Role,
    slot: Slot,
    surroundings: &Surroundings,
) -> io::Result<Option<Image>> {
    let (control, theirs) = fd_pass::pair()?;
    command.env_clear().envs(surroundings.environment.iter().map(|(k, v)| (k, v)));
    command.env(boot::VARIABLE, role.name()).stdin(theirs);
    let child = command.spawn()?;
    drop(command);
    let image = Image { control, pidfd: Pidfd::open(child.id() as i32)?, child };
    image.greet(slot)
}

impl Image {
    fn greet(mut self, slot: Slot) -> io::Result<Option<Self>> {
        let Err(error) = self.exchange(slot) else { return Ok(Some(self)) };
        let has_ended = self.pidfd.wait_ended(Deadline::after(EXIT)).unwrap_or(false);
        // It may be running somebody's `main`. Nothing that it does is wanted.
        let _ = self.child.kill();
        let signal = self.child.wait().ok().and_then(|status| status.signal());
        let was_killed = has_ended && signal.map(Signal::from_raw) == Some(Signal::KILL);
        if was_killed { Ok(None) } else { Err(error) }
    }

    fn exchange(&self, slot: Slot) -> io::Result<()> {
        let message = Boot { build: Build::of_program()?.to_bytes(), member: slot.to_raw() };
        let lifeline = lifeline::downward()?;
        let ended = || {
            io::Error::other(
                "the program that was started again ended before procession::init(); make it the first line of main",
            )
        };
        fd_pass::send(&self.control, &message.to_bytes(), &[slot.arena(), lifeline.as_fd()])
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => ended(),
                _ => error,
            })?;
        if !poll::readable(&self.control, Deadline::after(PATIENCE))? {
            return Err(io::Error::other(
                "the program that was started again did not reach procession::init(); make it the first line of main",
            ));
        }
        let mut text = [0; LONGEST];
        match fd_pass::recv(&self.control, &mut text)? {
            Some(hello) if hello.len == 1 => Ok(()),
            Some(hello) => Err(io::Error::other(String::from_utf8_lossy(&text[..hello.len]))),
            None => Err(ended()),
        }
    }
}

/// Of one that is the child itself: that it was killed before it was ready.
pub(super) fn killed() -> io::Error {
    io::Error::other("the program that was started again was killed before procession::init()")
}

/// In the new image: whether it is there for one of its tasks.
#[cfg(feature = "test-hook")]
pub(crate) fn is_for_a_task() -> bool {
    std::env::var_os(boot::VARIABLE).is_some_and(|order| order == Role::Task.name())
}

/// In the new image: becomes what the parent asked for, or returns if nobody asked.
pub(crate) fn boot(tasks: Option<&Tasks>) {
    match boot::take() {
        Ok(None) => {}
        Ok(Some((order, control))) => {
            let role = ROLES.into_iter().find(|role| order == role.name());
            become_role(role, control, tasks)
        }
        // The parent has been told.
        Err(_) => procession_sys::leave::leave(126),
    }
}

fn become_role(role: Option<Role>, control: OwnedFd, tasks: Option<&Tasks>) -> ! {
    boot::take_name();
    let (lifeline, seat) = match receive_boot(role, &control) {
        Ok(Some(got)) => got,
        // The parent is gone.
        Ok(None) => procession_sys::leave::leave(0),
        Err(error) => {
            let text = format!("the program that was started again {error}");
            match fd_pass::send(&control, text.as_bytes(), &[]) {
                Ok(()) => end(&error),
                // The parent is gone, and the seat with it.
                Err(_) => procession_sys::leave::leave(0),
            }
        }
    };
    match role {
        Some(Role::Zygote) => zygote_loop::serve(control, lifeline, seat),
        Some(Role::Exec) => run_one(control, lifeline, seat, child::perform),
        Some(Role::Task) => match tasks {
            Some(tasks) => run_one(control, lifeline, seat, |_, seat| tasks.perform(seat)),
            None => {
                let why =
                    "the program has no tasks; begin its main with procession::init_with(tasks)";
                let _ = fd_pass::send(&control, why.as_bytes(), &[]);
                procession_sys::leave::leave(126)
            }
        },
        None => end(&io::Error::other("asks for an unknown role")),
    }
}

/// Takes arena and lifeline, and proves that this is the same program, unless it is started by another one. Whether
/// both mean the same memory, the arena says.
fn receive_boot(role: Option<Role>, control: &OwnedFd) -> io::Result<Option<(OwnedFd, Slot)>> {
    let mut bytes = [0; LONGEST];
    let Some(message) = fd_pass::recv(control, &mut bytes)? else {
        return Ok(None);
    };
    let invalid = || io::Error::other("got a first message that is none");
    let boot = Boot::from_bytes(&bytes[..message.len]).ok_or_else(invalid)?;
    let [family, lifeline] = <[OwnedFd; 2]>::try_from(message.fds).map_err(|_| invalid())?;
    if role != Some(Role::Task) && boot.build != Build::of_program()?.to_bytes() {
        return Err(io::Error::other("is another build of this program; start both from one file"));
    }
    if !procession_sys::fork::is_single_threaded() {
        return Err(io::Error::other(
            "has threads before procession::init(); make it the first line of main",
        ));
    }
    let slot = slot::join_family(family, boot.member).map_err(io::Error::other)?;
    Ok(Some((lifeline, slot)))
}

/// One request, for this process itself.
fn run_one(
    control: OwnedFd,
    lifeline: OwnedFd,
    seat: Slot,
    perform: impl FnOnce(&Request, Slot) -> i32,
) -> ! {
    let mut bytes = [0; LONGEST];
    let asked =
        fd_pass::send(&control, b"+", &[]).and_then(|()| fd_pass::recv(&control, &mut bytes));
    match asked {
        Ok(Some(message)) => match Request::from_bytes(&bytes[..message.len]) {
            Some(request) => {
                drop(control);
                child::run(request, seat, message.fds, lifeline, perform)
            }
            None => end(&io::Error::other("got a request that is none")),
        },
        Ok(None) => procession_sys::leave::leave(0),
        Err(error) => end(&error),
    }
}

fn end(error: &io::Error) -> ! {
    eprintln!("procession: process {}, started by `spawn`, {error}", std::process::id());
    procession_sys::leave::leave(126)
}
