//! Counts the words of all text files in a directory tree: `wordcount [DIR]`.
//!
//! A process of its own walks the tree and puts what it finds into a queue. The files are then shared out among
//! the workers of a pool, with a progress bar, and what they counted is added up here. The same work is done once
//! more by this process alone, for the comparison.

use procession::{Pool, Process, Queue};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Tasks for each worker: enough that none is left with the last large one.
const SHARE: u64 = 8;
/// How many of the most frequent words are shown.
const TOP: usize = 10;

/// What was counted in some files.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    words: HashMap<String, u64>,
    files: u64,
    /// Files that are no text, or could not be read.
    skipped: u64,
    bytes: u64,
}

fn main() -> ExitCode {
    procession::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    if !root.is_dir() {
        return Err(format!("{} is no directory; usage: wordcount [DIR]", root.display()).into());
    }
    let workers = procession::cpu_count();
    let batches = batches(find(&root)?, SHARE * workers as u64);
    // Both measurements find the files in the page cache.
    batches.iter().flatten().for_each(|path| drop(std::fs::read(path)));
    let (together, by_pool) = timed(|| count_in_pool(workers, &batches))?;
    let (alone, by_one) = timed(|| Ok(add_up(batches.iter().cloned().map(count))))?;
    if together != alone {
        return Err("the pool has counted other words than one process".into());
    }
    show(&together);
    println!(
        "one process {:.3} s, pool of {workers} {:.3} s (with its start): {:.2} times as fast",
        by_one.as_secs_f64(),
        by_pool.as_secs_f64(),
        by_one.as_secs_f64() / by_pool.as_secs_f64()
    );
    Ok(())
}

/// The files of the tree, with their lengths.
fn find(root: &Path) -> Result<Vec<(PathBuf, u64)>, procession::Error> {
    let found = Queue::new()?;
    let walker = Process::spawn(walk, (root.to_path_buf(), found.clone()))?;
    let mut files = Vec::new();
    loop {
        // What it has put is in the queue when it ends, however it ends.
        let is_over = !walker.is_alive();
        match found.get_many_timeout(1000, Duration::ZERO) {
            Ok(some) => files.extend(some),
            Err(error) if !error.is_timeout() => return Err(error.into()),
            Err(_) if is_over => break,
            Err(_) => drop(procession::wait(&[&found, &walker], None)?),
        }
    }
    walker.join()?;
    Ok(files)
}

/// The files in about so many batches of about the same length.
fn batches(files: Vec<(PathBuf, u64)>, count: u64) -> Vec<Vec<PathBuf>> {
    let total: u64 = files.iter().map(|(_, len)| len).sum();
    let (mut batches, mut full) = (vec![Vec::new()], 0);
    for (path, len) in files {
        if full > total / count {
            batches.push(Vec::new());
            full = 0;
        }
        full += len;
        batches.last_mut().expect("it begins with one").push(path);
    }
    batches
}

/// Puts every file of the tree into the queue, with its length.
fn walk((root, found): (PathBuf, Queue<(PathBuf, u64)>)) {
    let mut left = vec![root];
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => left.push(entry.path()),
                Ok(metadata) if metadata.is_file() => {
                    // A walker that cannot put is at its end; whoever joins it is told why.
                    found.put(&(entry.path(), metadata.len())).expect("cannot list the files");
                }
                _ => {}
            }
        }
    }
}

fn count_in_pool(workers: usize, batches: &[Vec<PathBuf>]) -> Result<Tally, Box<dyn Error>> {
    let pool = Pool::new(workers)?;
    let bar = procession::bar("batches of files", batches.len() as u64);
    let tallies = pool.with().chunksize(1).progress(bar).map(count, batches.iter().cloned())?;
    Ok(add_up(tallies))
}

/// What a worker does: counts the words of a batch.
fn count(paths: Vec<PathBuf>) -> Tally {
    let mut tally = Tally::default();
    for path in paths {
        match std::fs::read(&path).map(String::from_utf8) {
            Ok(Ok(text)) if !text.contains('\0') => {
                tally.files += 1;
                tally.bytes += text.len() as u64;
                count_words(&text, &mut tally.words);
            }
            _ => tally.skipped += 1,
        }
    }
    tally
}

fn count_words(text: &str, words: &mut HashMap<String, u64>) {
    let mut word = String::new();
    for part in text.split(|letter: char| !letter.is_alphanumeric()) {
        if part.is_empty() {
            continue;
        }
        word.clear();
        word.extend(part.chars().flat_map(char::to_lowercase));
        match words.get_mut(&word) {
            Some(count) => *count += 1,
            None => drop(words.insert(word.clone(), 1)),
        }
    }
}

fn add_up(tallies: impl IntoIterator<Item = Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut sum, tally| {
        for (word, count) in tally.words {
            *sum.words.entry(word).or_default() += count;
        }
        sum.files += tally.files;
        sum.skipped += tally.skipped;
        sum.bytes += tally.bytes;
        sum
    })
}

fn timed<T>(
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<(T, Duration), Box<dyn Error>> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

fn show(tally: &Tally) {
    let mut words: Vec<_> = tally.words.iter().collect();
    words.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    for (word, count) in words.iter().take(TOP) {
        println!("{count:10}  {word}");
    }
    println!(
        "{:10}  words, {} of them different, in {} files of {:.1} MB; {} files are no text",
        tally.words.values().sum::<u64>(),
        tally.words.len(),
        tally.files,
        tally.bytes as f64 / 1e6,
        tally.skipped
    );
}
