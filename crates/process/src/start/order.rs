//! What travels between parent, zygote and child.
//!
//! | message | direction | bytes | descriptors |
//! |---|---|---|---|
//! | `Boot` | parent → new image | build (40), member (8) | arena, lifeline |
//! | `Hello` | new image → parent | `+`: ready; else a text: why not | |
//! | `Request` | parent → zygote or exec child | flags (8), member (8), function (32) | stdio, as flagged |
//! | `Answer` | zygote → parent | pid (4), or text of a refusal behind a zero | pidfd |
//!
//! Everything else (name, environment, directory, arguments) lies in the member's parcel: [`Preface`].

use std::ffi::OsString;
use std::path::PathBuf;

use procession_sys::environment::Change;
use procession_sys::image::{Build, Shipped};
use serde::{Deserialize, Serialize};

use crate::current::Identity;

/// The longest message.
pub(super) const LONGEST: usize = 512;

/// The new image's first message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boot {
    pub(super) build: [u8; Build::SIZE],
    pub(super) member: u64,
}

impl Boot {
    pub(super) const SIZE: usize = Build::SIZE + 8;

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..Build::SIZE].copy_from_slice(&self.build);
        bytes[Build::SIZE..].copy_from_slice(&self.member.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (build, member) = bytes.split_at_checked(Build::SIZE)?;
        Some(Self {
            build: build.try_into().ok()?,
            member: u64::from_le_bytes(member.try_into().ok()?),
        })
    }
}

/// One bit each of a request.
pub(super) mod flag {
    /// A descriptor for stdin comes with it.
    pub(in crate::start) const STDIN: u64 = 1;
    /// A descriptor for stdout comes with it.
    pub(in crate::start) const STDOUT: u64 = 2;
    /// A descriptor for stderr comes with it.
    pub(in crate::start) const STDERR: u64 = 4;
    /// The child does not hang on its parent's lifeline.
    pub(in crate::start) const OUTLIVE: u64 = 8;
}

/// One child to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) flags: u64,
    pub(super) member: u64,
    pub(super) function: [u8; Shipped::SIZE],
}

impl Request {
    pub(super) const SIZE: usize = 16 + Shipped::SIZE;

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.member.to_le_bytes());
        bytes[16..].copy_from_slice(&self.function);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (flags, rest) = bytes.split_first_chunk()?;
        let (member, function) = rest.split_first_chunk()?;
        Some(Self {
            flags: u64::from_le_bytes(*flags),
            member: u64::from_le_bytes(*member),
            function: function.try_into().ok()?,
        })
    }
}

/// What a child has to become before its function is called; encoded in front of the arguments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Preface {
    pub(crate) identity: Identity,
    pub(crate) environment: Vec<Change>,
    pub(crate) directory: Option<PathBuf>,
}

/// The environment and the directory of a process at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) directory: Option<PathBuf>,
}

impl Surroundings {
    pub(crate) fn now() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            // A directory that was deleted has no name to send; the child then stays where the zygote is.
            directory: std::env::current_dir().ok(),
        }
    }

    /// Where to go from the directory of `from`, if anywhere.
    pub(crate) fn directory_from(&self, from: &Self) -> Option<PathBuf> {
        self.directory.clone().filter(|_| self.directory != from.directory)
    }

    /// What turns an environment of `from` into `self`.
    pub(crate) fn changes_from(&self, from: &Self) -> Vec<Change> {
        if self.environment == from.environment {
            return Vec::new();
        }
        let value_in = |list: &[(OsString, OsString)], name| {
            list.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        };
        let gone =
            from.environment.iter().filter(|(name, _)| value_in(&self.environment, name).is_none());
        let set = self
            .environment
            .iter()
            .filter(|(name, value)| value_in(&from.environment, name).as_ref() != Some(value));
        gone.map(|(name, _)| (name.clone(), None))
            .chain(set.map(|(name, value)| (name.clone(), Some(value.clone()))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(list: &[(&str, &str)]) -> Surroundings {
        let environment = list.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Surroundings { environment, directory: None }
    }

    #[test]
    fn request_survives_the_journey() {
        let request = Request { flags: 5, member: 77, function: [3; 32] };
        let read = Request::from_bytes(&request.to_bytes()).expect("a request");
        assert_eq!((read.flags, read.member, read.function), (5, 77, [3; 32]));
        assert!(Request::from_bytes(&[0; 47]).is_none());
        let boot = Boot { build: [9; 40], member: 12 };
        assert_eq!(Boot::from_bytes(&boot.to_bytes()).expect("boot").member, 12);
        assert!(Boot::from_bytes(&[0; 3]).is_none());
    }

    #[test]
    fn changes_name_what_is_new_other_and_gone() {
        let from = surroundings(&[("A", "1"), ("B", "2"), ("C", "3")]);
        let to = surroundings(&[("A", "1"), ("B", "x"), ("D", "4")]);
        let changes = to.changes_from(&from);
        let expected: Vec<Change> = vec![
            ("C".into(), None),
            ("B".into(), Some("x".into())),
            ("D".into(), Some("4".into())),
        ];
        assert_eq!(changes, expected);
        assert!(to.changes_from(&to.clone()).is_empty());
    }
}
