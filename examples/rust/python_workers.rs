//! A Rust program that has Python work for it: `python_workers [DIR]` counts the functions and classes in all Python
//! files of a directory tree, with Python's own parser, which no other language has.
//!
//! It walks the tree and starts four Python workers. They share two queues, a value, an array and a lock with it, as a
//! Rust process would. Needs a Python in which `procession` is installed: `python3`, or what PROCESSION_PYTHON names.

use procession::{Array, Lock, Process, Queue, Value};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::{Path, PathBuf};

const WORKERS: usize = 4;
/// How many of the largest files are shown.
const TOP: usize = 5;

/// What a worker found in one file: a dict in Python.
#[derive(Serialize, Deserialize)]
struct Report {
    path: String,
    functions: u32,
    classes: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    procession::init();
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);

    let jobs = Queue::<Option<String>>::new()?;
    let reports = Queue::<Report>::new()?;
    let lines = Value::new(0_i64)?;
    let busy = Array::new(&[0.0; WORKERS])?;
    let lock = Lock::new()?;
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rust/python_workers");
    let workers = (0..WORKERS)
        .map(|number| {
            Process::builder()
                .name(format!("parser-{number}"))
                .env("PYTHONPATH", &modules)
                .python("parser:work", (number, &jobs, &reports, &lines, &busy, &lock))
        })
        .collect::<Result<Vec<Process<usize>>, _>>()?;

    let mut paths = Vec::new();
    walk(&root, &mut paths)?;
    for path in paths {
        jobs.put(&Some(path))?;
    }
    for _ in &workers {
        jobs.put(&None)?;
    }

    let mut parsed = 0;
    for worker in &workers {
        match worker.join() {
            Ok(count) => parsed += count,
            Err(error) => match error.raised() {
                Some(raised) => return Err(raised.traceback().into()),
                None => return Err(error.into()),
            },
        }
    }
    let mut found = Vec::new();
    while found.len() < parsed {
        found.extend(reports.get_many(parsed)?);
    }
    found.sort_by_key(|report| std::cmp::Reverse((report.functions, report.path.clone())));

    let functions: u32 = found.iter().map(|report| report.functions).sum();
    let classes: u32 = found.iter().map(|report| report.classes).sum();
    println!(
        "{} files, {} lines: {functions} functions, {classes} classes",
        found.len(),
        lines.get()
    );
    for report in found.iter().take(TOP) {
        println!("{:>6}  {}", report.functions, report.path);
    }
    println!("seconds that each worker was parsing: {:.2?}", busy.to_vec());
    Ok(())
}

/// Adds the Python files below a directory.
fn walk(directory: &Path, paths: &mut Vec<String>) -> std::io::Result<()> {
    for entry in directory.read_dir()? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            paths.push(path.display().to_string());
        }
    }
    Ok(())
}
