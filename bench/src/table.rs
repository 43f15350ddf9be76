//! The page: what was measured, as Markdown.

use crate::figure::{Unit, digits};
use crate::harness::{Measured, Side, median};
use crate::row::{Effort, Target};

const METHOD: &str = "\
Each row is run by our side and by its peers in turn, several times; a figure is the median, with the
least and the greatest beside it. Two processes are two processes: a peer's other side is the same
program, started anew, and the clock runs from the moment both are ready until the receiver has said
that it has the last message. CPU is what all processes of a run used together, in seconds of CPU for a
second of wall time (2.0 is two cores busy). Everything is built with the release profile of this
repository. A row where a peer wins is as much a result as any other.
";

const HEAD: &str = "\
| work | procession | peer | its figure | ours ÷ peer | CPU, ours and peer | to reach | reached | why not |
|---|---|---|---|---|---|---|---|---|
";

/// The whole page.
pub(crate) fn page(results: &[Measured], effort: Effort, machine: &str) -> String {
    let mut page = String::from("# Benchmarks\n\n");
    if effort == Effort::Short {
        page += "A short run: it shows that everything runs, and its figures mean nothing.\n\n";
    }
    page += "Written by `cargo xtask bench`. Ratios travel to other machines, figures do not.\n\n";
    page += machine;
    page += &format!("\n## Results\n\n{HEAD}");
    for measured in results {
        page += &lines(measured);
    }
    page + "\n## Method\n\n" + METHOD
}

/// One line for each peer, and one for a figure that stands alone.
fn lines(measured: &Measured) -> String {
    let mut lines = String::new();
    if let Some(limit) = measured.row.limit {
        lines += &line(measured, None, Some((limit, limit.value)));
    }
    for (index, peer) in measured.row.peers.iter().enumerate() {
        let figure = measured.peers[index].as_ref().ok().and_then(|samples| median(samples));
        let wanted = figure.map_or(f64::NAN, |sample| sample.value);
        let target = peer.target.map(|target| (target, wanted * target.value));
        lines += &line(measured, Some(index), target);
    }
    lines
}

fn line(measured: &Measured, peer: Option<usize>, target: Option<(Target, f64)>) -> String {
    let (row, unit) = (&measured.row, measured.row.unit);
    let ours = measured.ours.as_ref();
    let value = |side: Option<&Side>| {
        let samples = side.and_then(|side| side.as_ref().ok());
        samples.and_then(|samples| median(samples)).map(|sample| sample.value)
    };
    let theirs = peer.map(|index| &measured.peers[index]);
    let ratio = match (value(ours), value(theirs)) {
        (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{}×", digits(ours / theirs)),
        _ => String::new(),
    };
    let name = peer.map_or("none, a fixed figure", |index| row.peers[index].name);
    let cells = [
        row.work.to_owned(),
        ours.map_or_else(|| "not built yet".to_owned(), |side| figure(unit, side)),
        name.to_owned(),
        theirs.map_or_else(String::new, |side| figure(unit, side)),
        ratio,
        [ours, theirs].into_iter().flatten().map(cpu).collect::<Vec<_>>().join(" and "),
    ];
    format!(
        "| {} | {} |\n",
        cells.join(" | "),
        verdict(unit, value(ours), peer, target).join(" | ")
    )
}

/// The last three cells: to reach, reached, why not.
fn verdict(
    unit: Unit,
    ours: Option<f64>,
    peer: Option<usize>,
    target: Option<(Target, f64)>,
) -> [String; 3] {
    let Some((target, wanted)) = target else {
        return ["no target", "", ""].map(str::to_owned);
    };
    let factor = peer.map_or_else(String::new, |_| format!("{}×: ", target.value));
    let reach = format!("{factor}{} {}", unit.direction(), unit.show(wanted));
    let (reached, why) = match ours.map(|ours| unit.reached(ours, wanted)) {
        None => ("", ""),
        Some(true) => ("yes", ""),
        Some(false) if target.why.is_empty() => ("**no**", "not known yet"),
        Some(false) => ("**no**", target.why),
    };
    [reach, reached.to_owned(), why.to_owned()]
}

/// The median with its spread.
fn figure(unit: Unit, side: &Side) -> String {
    let samples = match side {
        Ok(samples) => samples,
        Err(error) => return format!("failed: {error}"),
    };
    let (Some(least), Some(middle), Some(most)) =
        (samples.first(), median(samples), samples.last())
    else {
        return "not run".to_owned();
    };
    let note = if middle.note.is_empty() { String::new() } else { format!(", {}", middle.note) };
    let (least, most) = (unit.show(least.value), unit.show(most.value));
    match samples.len() {
        1 => format!("{}{note}", unit.show(middle.value)),
        _ => format!("{} ({}–{most}){note}", unit.show(middle.value), without_unit(&least, &most)),
    }
}

/// The lower end of a range, without its unit if the upper end has the same.
fn without_unit<'a>(least: &'a str, most: &str) -> &'a str {
    match (least.split_once(' '), most.split_once(' ')) {
        (Some((digits, unit)), Some((_, same))) if unit == same => digits,
        _ => least,
    }
}

/// Below this many seconds the hundredths in which CPU time is counted say nothing.
const LONG_ENOUGH: f64 = 0.1;

/// CPU seconds for a second of wall time.
fn cpu(side: &Side) -> String {
    let middle = side.as_ref().ok().and_then(|samples| median(samples));
    match middle.filter(|sample| sample.wall > LONG_ENOUGH) {
        Some(sample) => format!("{:.1}", sample.cpu / sample.wall),
        None => "–".to_owned(),
    }
}
