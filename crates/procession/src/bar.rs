//! A progress bar for maps.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for [`MapBuilder::progress`](crate::MapBuilder::progress): `total` calls, `title` before it.
///
/// ```no_run
/// # let pool = procession::Pool::new(2)?;
/// pool.with().progress(procession::bar("squares", 1000)).map(|n: u64| n * n, 0..1000)?;
/// # Ok::<(), procession::PoolError>(())
/// ```
pub fn bar(title: &str, total: u64) -> impl Fn(usize) + Send + Sync + 'static {
    let style = ProgressStyle::with_template("{prefix} [{bar:40}] {pos}/{len} {per_sec} {eta}")
        .expect("the template is right")
        .progress_chars("=> ");
    let bar = ProgressBar::new(total).with_style(style).with_prefix(title.to_owned());
    move |done| {
        bar.set_position(done as u64);
        if done as u64 >= total {
            bar.finish();
        }
    }
}
