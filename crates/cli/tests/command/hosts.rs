//! Three hosts on one machine: network namespaces, the second and the third joined to the first by a cable each.
//!
//! A namespace is its descriptor, so nothing of it is left when that is closed, whoever is killed. What runs on a host is a
//! thread that has moved there, with all that it opens and starts.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::thread;

/// The first host's end of each cable, and what it is called there. The other end is `.2`, and `eth0`.
const CABLES: [(&str, &str); 2] = [("10.77.1", "to-second"), ("10.77.2", "to-third")];

/// A network of its own.
pub(crate) struct Host(File);

/// Three of them.
pub(crate) struct Hosts {
    pub(crate) first: Host,
    pub(crate) others: [Host; 2],
}

impl Host {
    fn new() -> Result<Self, String> {
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        lines.read_line(&mut line).expect("it is text");
        let network = File::open(format!("/proc/{}/ns/net", child.id()));
        let output = child.wait_with_output().expect("it is our child");
        match network {
            Ok(network) if line == "\n" => Ok(Self(network)),
            _ => Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()),
        }
    }

    /// Runs on this host.
    pub(crate) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.0.as_fd(), kind).expect("it was made by us");
                work()
            });
            there.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    fn ip(&self, words: &str) -> Result<(), String> {
        let mut command = Command::new("ip");
        command.args(words.split_whitespace()).stdin(Stdio::null());
        match self.run(|| command.output()) {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(format!("ip {words}: {}", String::from_utf8_lossy(&output.stderr))),
            Err(error) => Err(format!("ip: {error}")),
        }
    }
}

impl Hosts {
    /// The hosts, or why this machine does not let us have them.
    pub(crate) fn new() -> Result<Self, String> {
        let hosts = Self { first: Host::new()?, others: [Host::new()?, Host::new()?] };
        let first = &hosts.first;
        first.ip("link set lo up")?;
        let (me, there) = (std::process::id(), first.0.as_raw_fd());
        for (other, (net, name)) in hosts.others.iter().zip(CABLES) {
            other.ip(&format!(
                "link add eth0 type veth peer name {name} netns /proc/{me}/fd/{there}"
            ))?;
            other.ip(&format!("addr add {net}.2/24 dev eth0"))?;
            other.ip("link set eth0 up")?;
            first.ip(&format!("addr add {net}.1/24 dev {name}"))?;
            first.ip(&format!("link set {name} up"))?;
        }
        Ok(hosts)
    }

    /// Where one of the others finds the first.
    pub(crate) fn first_seen_from(&self, other: usize) -> String {
        format!("{}.1", CABLES[other].0)
    }

    /// Pulls the cable to one of the others.
    pub(crate) fn cut(&self, other: usize) {
        self.first.ip(&format!("link set {} down", CABLES[other].1)).expect("it is there");
    }

    /// Plugs it in again.
    pub(crate) fn mend(&self, other: usize) {
        self.first.ip(&format!("link set {} up", CABLES[other].1)).expect("it is there");
    }
}
