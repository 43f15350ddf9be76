//! Which families live here.

use crate::ran::{Mark, command, numbers, run};
use crate::still::StandingStill;
use procession::{Lock, Queue};
use procession_testkit::{guard, guard_after, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Stdio};

/// The lines about the family that has a member with this number.
fn family_of(pid: u32, lines: &[String]) -> Option<Vec<String>> {
    let pid = pid.to_string();
    let families = lines.split(|line| line.is_empty()).collect::<Vec<_>>();
    // A family's members and its objects are two paragraphs.
    let members = families
        .iter()
        .position(|lines| lines.iter().any(|line| line.split_whitespace().next() == Some(&pid)))?;
    let objects = families.get(members + 1).filter(|lines| !lines[0].starts_with("family"));
    Some([families[members], objects.copied().unwrap_or_default()].concat())
}

/// The last two columns of the objects of a kind.
fn depth_and_lock(family: &[String], kind: &str) -> Vec<(String, String)> {
    let rows = family.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|row| row.first() == Some(&kind));
    rows.map(|row| (row[row.len() - 2].to_owned(), row[row.len() - 1].to_owned())).collect()
}

fn found_a_family() {
    drop(Lock::new().expect("a lock"));
}

#[test]
fn ps_shows_three_items_in_the_queue_that_holds_three() {
    let _guard = guard_after(found_a_family);
    let queue = Queue::new().expect("a queue");
    for number in 0..4 {
        queue.put(&number).expect("room");
    }
    assert_eq!(queue.get().expect("an item"), 0);
    let ran = run(&["ps"]);
    let family = family_of(std::process::id(), &ran.lines).expect("this process's family");
    assert_eq!(depth_and_lock(&family, "queue"), [("3".to_owned(), "-".to_owned())], "{ran:#?}");
}

#[test]
fn ps_names_the_holder_of_a_lock_only_while_it_is_held() {
    let _guard = guard_after(found_a_family);
    let lock = Lock::new().expect("a lock");
    let me = std::process::id();
    let holder = || {
        let ran = run(&["ps"]);
        let family = family_of(me, &ran.lines).expect("this process's family");
        depth_and_lock(&family, "lock").pop().expect("the lock").1
    };
    let held = lock.lock();
    assert_eq!(holder(), me.to_string());
    drop(held);
    assert_eq!(holder(), "-");
}

/// The chapter in which two processes count under a lock, when it has begun to count; and what it prints then, which is to
/// be kept until its end.
fn counting_tour() -> (Child, Mark, BufReader<ChildStdout>) {
    let (mut command, mark) = command(&["tour", "lock"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut tour = command.spawn().expect("the command was built");
    let mut lines = BufReader::new(tour.stdout.take().expect("it is a pipe"));
    let mut line = String::new();
    while line.trim_end().parse::<u32>().is_err() {
        line.clear();
        assert_ne!(lines.read_line(&mut line).expect("it is text"), 0, "it does not count");
    }
    (tour, mark, lines)
}

#[test]
fn ps_shows_a_family_with_its_members_names_and_states() {
    let _guard = guard();
    let (mut tour, mark, _lines) = counting_tour();
    let mut family = Vec::new();
    let what = "the tour's two processes run and one has the lock";
    let standing = StandingStill::when(&tour, &mark, what, || {
        family = family_of(tour.id(), &run(&["ps"]).lines).unwrap_or_default();
        let locks = depth_and_lock(&family, "lock");
        let members = |name: &str| family.iter().any(|line| line.contains(name));
        members("Process-2") && locks.iter().any(|(_, holder)| holder != "-")
    });
    let (_, holder) = depth_and_lock(&family, "lock").pop().expect("the lock");
    let holds = |line: &&String| line.split_whitespace().next() == Some(&holder);
    let row = family.iter().find(holds).unwrap_or_else(|| panic!("no {holder} in {family:#?}"));
    assert!(numbers("  # Process-# alive #s", &one_space(row)).is_some(), "{family:#?}");
    assert!(family.iter().any(|line| line.contains("MainProcess  alive")), "{family:#?}");
    assert!(family.iter().any(|line| line.contains("zygote")), "{family:#?}");
    // The first one, its zygote and the two.
    assert_eq!(mark.count(), 4);
    drop(standing);
    assert!(tour.wait().expect("it is our child").success());
    mark.expect_nothing_left();
    assert_eq!(family_of(tour.id(), &run(&["ps"]).lines), None);
}

#[test]
fn ps_says_that_a_lock_was_left_by_a_process_that_was_killed() {
    let _guard = guard();
    let (mut tour, mark, _lines) = counting_tour();
    let locks = || {
        let family = family_of(tour.id(), &run(&["ps"]).lines).unwrap_or_default();
        family.into_iter().find(|line| line.trim_start().starts_with("lock "))
    };
    let mut holder = None;
    let what = "one of the tour's two processes has the lock";
    let standing = StandingStill::when(&tour, &mark, what, || {
        let lock = locks().unwrap_or_default();
        holder = lock.split_whitespace().last().and_then(|word| word.parse::<i32>().ok());
        holder.is_some()
    });
    let holder = holder.and_then(Pid::from_raw).expect("the number of a process");
    kill_process(holder, Signal::KILL).expect("it stands still");
    drop(standing);
    wait_until("the lock is shown as left by the dead", || {
        locks().is_some_and(|lock| lock.ends_with("  a process that has ended"))
    });
    let mut errors = String::new();
    tour.stderr.take().expect("it is a pipe").read_to_string(&mut errors).expect("it is text");
    assert_eq!(tour.wait().expect("it is our child").code(), Some(1), "{errors}");
    assert!(errors.contains("killed by SIGKILL"), "{errors}");
    mark.expect_nothing_left();
}

/// A row with one space between its cells.
fn one_space(row: &str) -> String {
    format!("  {}", row.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn ps_says_why_it_cannot_read_the_memory_of_another_build() {
    let _guard = guard();
    // Too small, unsealed, and sealed without a word of ours in it.
    for (len, seal) in [(100, true), (8192, false), (8192, true)] {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = memfd_create("procession", flags).expect("a memfd");
        let mut file = std::fs::File::from(fd);
        file.write_all(&vec![0; len]).expect("room");
        if seal {
            fcntl_add_seals(&file, SealFlags::SHRINK).expect("it is ours");
        }
        let ran = run(&["ps"]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        let start = format!("family of process {}: ", std::process::id());
        let said = ran.lines.iter().any(|line| line.starts_with(&start));
        assert!(said, "{len} bytes, sealed {seal}: {ran:#?}");
    }
}

#[test]
fn ps_as_json_has_the_depth_of_a_queue() {
    let _guard = guard_after(found_a_family);
    let queue = Queue::new().expect("a queue");
    queue.put(&1).expect("room");
    let ran = run(&["ps", "--json"]);
    let [document] = &ran.lines[..] else { panic!("one line: {ran:#?}") };
    assert!(document.starts_with("{\"families\":[{") && document.ends_with("]}"), "{document}");
    let pid =
        format!("\"pid\":{},\"name\":\"MainProcess\",\"state\":\"alive\"", std::process::id());
    assert!(document.contains(&pid), "{document}");
    assert!(
        document.contains("\"kind\":\"queue\"") && document.contains("\"depth\":1,"),
        "{document}"
    );
}
