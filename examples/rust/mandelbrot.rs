//! Draws the Mandelbrot set: `mandelbrot [WIDTH HEIGHT FILE.png]`.
//!
//! The workers of a pool compute bands of rows, each into its place in one shared array of three dimensions (rows,
//! columns, colours), and the picture is written from there. The same picture is computed once more by this
//! process alone, for the comparison.

use procession::{Array, Pool};
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Rows that are computed as one task: small, because those in the middle take long.
const BAND: usize = 4;
/// A point that stays near zero for so many steps is in the set.
const STEPS: u32 = 1000;
/// The part of the plane that is shown: its middle and its width.
const MIDDLE: (f64, f64) = (-0.65, 0.0);
const SPAN: f64 = 3.3;

/// Some rows of a picture: its width and height, the first of the rows and the one behind the last.
type Band = (usize, usize, usize, usize);

fn main() -> ExitCode {
    procession::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mandelbrot: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (width, height, file) = match arguments.as_slice() {
        [] => (1200, 800, "mandelbrot.png"),
        [width, height, file] => (extent(width)?, extent(height)?, file.as_str()),
        _ => return Err("usage: mandelbrot [WIDTH HEIGHT FILE.png]".into()),
    };
    let workers = procession::cpu_count();
    let (picture, by_pool) = timed(|| draw_in_pool(workers, width, height))?;
    let (alone, by_one) = timed(|| Ok(rows((width, height, 0, height))))?;
    if *picture.lock() != *alone {
        return Err("the pool has drawn another picture than one process".into());
    }
    write_png(Path::new(file), width, height, &picture.lock())?;
    println!("{file}: {width} x {height}");
    println!(
        "one process {:.3} s, pool of {workers} {:.3} s (with its start): {:.2} times as fast",
        by_one.as_secs_f64(),
        by_pool.as_secs_f64(),
        by_one.as_secs_f64() / by_pool.as_secs_f64()
    );
    Ok(())
}

fn extent(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(extent @ 1..=32_768) => Ok(extent),
        _ => Err(format!("{text} is no width or height: write a number from 1 to 32768")),
    }
}

fn draw_in_pool(workers: usize, width: usize, height: usize) -> Result<Array<u8>, Box<dyn Error>> {
    let picture = Array::with_shape(&[height, width, 3])?;
    let pool = Pool::new(workers)?;
    let bands =
        (0..height).step_by(BAND).map(|first| (width, height, first, height.min(first + BAND)));
    let tasks = bands.map(|band| (picture.clone(), band));
    let drawn = pool.with().chunksize(1).starmap(draw, tasks)?;
    drawn.into_iter().collect::<Result<(), String>>()?;
    Ok(picture)
}

/// What a worker does: computes a band by itself, and copies it into the picture under its lock.
fn draw(picture: Array<u8>, band: Band) -> Result<(), String> {
    let (width, _, first, _) = band;
    picture.write_from(first * width * 3, &rows(band)).map_err(|error| error.to_string())
}

/// The colours of a band, row by row.
fn rows((width, height, first, end): Band) -> Vec<u8> {
    let scale = SPAN / width as f64;
    let left = MIDDLE.0 - scale * (width as f64 - 1.0) / 2.0;
    let top = MIDDLE.1 + scale * (height as f64 - 1.0) / 2.0;
    let points = (first..end).flat_map(|row| (0..width).map(move |column| (column, row)));
    points
        .flat_map(|(column, row)| {
            colour(escape(left + scale * column as f64, top - scale * row as f64))
        })
        .collect()
}

/// After how many steps the point leaves the circle around zero, with a fraction so that colours have no edges;
/// `None` if it does not.
fn escape(x: f64, y: f64) -> Option<f64> {
    let (mut a, mut b) = (0.0_f64, 0.0_f64);
    for step in 0..STEPS {
        let (aa, bb) = (a * a, b * b);
        if aa + bb > 256.0 {
            return Some(f64::from(step) + 1.0 - (aa + bb).log2().log2());
        }
        (a, b) = (aa - bb + x, 2.0 * a * b + y);
    }
    None
}

/// Black inside; outside from white at the edge over gold into the dark.
fn colour(escaped: Option<f64>) -> [u8; 3] {
    let Some(steps) = escaped else { return [0, 0, 0] };
    let turn = (steps.max(0.0) + 1.0).ln() * 1.6;
    [4.2, 3.9, 3.4].map(|phase| (127.5 + 127.5 * (turn + phase).sin()) as u8)
}

fn write_png(path: &Path, width: usize, height: usize, rgb: &[u8]) -> Result<(), Box<dyn Error>> {
    let file =
        File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(())
}

fn timed<T>(
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<(T, Duration), Box<dyn Error>> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}
