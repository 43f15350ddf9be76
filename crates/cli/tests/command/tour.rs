//! Each chapter prints what the tutorial prints, line by line; a `#` is a number.

use crate::ran::{expect, numbers, run, run_with};
use procession_testkit::guard;

/// The lines are those of the patterns, in this order.
#[track_caller]
fn expect_lines(lines: &[&str], patterns: &[&str]) {
    let same = |(line, pattern): (&&str, &&str)| numbers(pattern, line).is_some();
    let all_same = lines.len() == patterns.len() && lines.iter().zip(patterns).all(same);
    assert!(all_same, "{lines:#?} is not {patterns:#?}");
}

fn at(lines: &[&str], pattern: &str) -> usize {
    let found = lines.iter().position(|line| numbers(pattern, line).is_some());
    found.unwrap_or_else(|| panic!("no line `{pattern}` in {lines:#?}"))
}

#[test]
fn fork_prints_a_line_in_each_of_the_two_processes() {
    let _guard = guard();
    let ran = run(&["tour", "fork"]);
    let lines = ran.chapter();
    let start = expect("Process (#) start...", &lines[..1]);
    let parent = expect("I (#) just created a child process (#)", &lines);
    let child = expect("I am child process (#) and my parent is #", &lines);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(start, [f64::from(std::process::id())]);
    assert_eq!([parent[1], parent[0]], child[..]);
}

#[test]
fn process_prints_the_childs_line_between_the_parents() {
    let _guard = guard();
    let ran = run(&["tour", "process"]);
    let lines = ran.chapter();
    let child = "Run child process test (#)...";
    let patterns = ["Parent process #", "Child process will start.", child, "Child process end"];
    expect_lines(&lines, &patterns);
    assert_ne!(expect("Parent process #", &lines), expect(child, &lines));
}

#[test]
fn pool_runs_five_tasks_in_no_more_than_four_other_processes() {
    let _guard = guard();
    let ran = run(&["tour", "pool"]);
    let lines = ran.chapter();
    assert_eq!(lines.len(), 13, "{lines:#?}");
    let parent = expect("Parent process #.", &lines[..1]);
    at(&lines, "Waiting for subprocessing done...");
    let mut workers = Vec::new();
    for task in 0..5 {
        let begun = at(&lines, &format!("Run child process {task} (#)"));
        let ended = at(&lines, &format!("Task {task} runs # seconds."));
        assert!(begun < ended, "{lines:#?}");
        workers.extend(numbers(&format!("Run child process {task} (#)"), lines[begun]).unwrap());
    }
    assert_eq!(lines.last(), Some(&"All subprocessing done"));
    assert!(!workers.contains(&parent[0]), "{lines:#?}");
    workers.sort_by(f64::total_cmp);
    workers.dedup();
    assert!(workers.len() <= 4, "{workers:?}");
}

#[test]
fn queue_gives_what_was_put_in_that_order_to_another_process() {
    let _guard = guard();
    let ran = run(&["tour", "queue"]);
    let lines = ran.chapter();
    assert_eq!(lines.len(), 8, "{lines:#?}");
    assert_ne!(expect("Process to write: #", &lines), expect("Process to read: #", &lines));
    let (mut put, mut got) = (0, 0);
    for value in ["A", "B", "C"] {
        let next = at(&lines, &format!("Put {value} to queue..."));
        let after = at(&lines, &format!("Get {value} from queue."));
        assert!(next < after && put <= next && got <= after, "{lines:#?}");
        (put, got) = (next, after);
    }
}

#[test]
fn shared_memory_shows_the_parent_what_a_child_has_changed() {
    let _guard = guard();
    let ran = run(&["tour", "shared-memory"]);
    let expected = [
        "value1: Value<i32> = 0",
        "value2: Value<f64> = 3.14",
        "array: Array<i32> [4] = [1, 2, 3, 4]",
        "table: Array<f64> [2, 3] = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]",
        "After a child has changed them:",
        "value1: Value<i32> = 1",
        "value2: Value<f64> = 2.72",
        "array: Array<i32> [4] = [10, 20, 30, 40]",
        "table: Array<f64> [2, 3] = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]",
    ];
    assert_eq!(ran.chapter(), expected);
}

#[test]
fn lock_keeps_the_steps_of_two_processes_apart() {
    let _guard = guard();
    let ran = run(&["tour", "lock"]);
    let counted = |first: i32, second: i32| -> Vec<String> {
        let begun = (1..=10).map(|step| step * first);
        let ended = (1..=10).map(|step| 10 * first + step * second);
        let numbers = begun.chain(ended).map(|number| number.to_string());
        numbers.chain(["End".to_owned()]).collect()
    };
    // The tutorial's processes race for the lock, too: mostly the first one started has it first.
    let lines = ran.chapter();
    assert!(lines == counted(1, 3) || lines == counted(3, 1), "{lines:#?}");
}

const NO_PYTHON: &str = "(python3 is not installed here; the workers are in Rust)";

/// What a chapter says of this machine, and what it prints as the tutorial does.
fn without_notices<'a>(lines: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    lines.iter().partition(|line| line.starts_with('('))
}

/// What the tutorial's master and its workers print.
#[track_caller]
fn expect_distributed(lines: &[&str]) {
    let put = lines.iter().filter_map(|line| line.strip_prefix("Put task ")?.strip_suffix("..."));
    let put: Vec<u64> = put.map(|n| n.parse().expect("a number")).collect();
    assert_eq!(put.len(), 10, "{lines:#?}");
    let after = at(lines, "Try get result...");
    for n in put {
        let begun = at(lines, &format!("Put task {n}..."));
        let ended = at(lines, &format!("Redult,{n} * {n} = {}:", n * n));
        assert!(begun < after && after < ended, "{lines:#?}");
    }
    assert_eq!(lines.iter().filter(|line| **line == "worker exit").count(), 2, "{lines:#?}");
    assert_eq!(lines.last(), Some(&"master exit"));
    assert_eq!(lines.len(), 24, "{lines:#?}");
}

#[test]
fn distributed_has_ten_tasks_done_by_two_workers_of_stock_python() {
    let _guard = guard();
    let ran = run(&["tour", "distributed"]);
    let (notices, lines) = without_notices(&ran.chapter());
    assert!(notices.is_empty() || notices == [NO_PYTHON], "{notices:?}");
    expect_distributed(&lines);
}

#[test]
fn distributed_has_workers_in_rust_where_there_is_no_python() {
    let _guard = guard();
    let ran = run_with(&["tour", "distributed"], |command| {
        command.env("PATH", "/nonexistent");
    });
    let (notices, lines) = without_notices(&ran.chapter());
    assert_eq!(notices, [NO_PYTHON]);
    expect_distributed(&lines);
}

#[test]
fn the_command_alone_runs_all_chapters_in_the_order_of_the_tutorial() {
    let _guard = guard();
    let ran = run(&[]);
    ran.chapter();
    let headings = ran.lines.iter().filter_map(|line| line.strip_prefix("### "));
    let names: Vec<_> = headings.filter_map(|heading| heading.split(':').next()).collect();
    let chapters = ["Fork", "Process", "Pool", "Subprocess", "Communicate", "Queue"];
    assert_eq!(names, [&chapters[..], &["Shared memory", "Lock", "Distributed"]].concat());
}

#[test]
fn a_chapter_that_does_not_exist_is_an_error_that_names_those_that_do() {
    let _guard = guard();
    let ran = run(&["tour", "threads"]);
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    assert!(ran.errors.contains("shared-memory") && ran.lines.is_empty(), "{ran:?}");
}
