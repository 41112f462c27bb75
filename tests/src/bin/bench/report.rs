//! Progress and results, as text. Writes to the terminal.

use std::collections::BTreeMap;
use std::io::Write;

use crate::edit::Edit;
use crate::many::Row;

/// Prints a line of progress or result.
pub(crate) fn say(line: &str) {
    // A reader that went away is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line to standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A column: its title and what a row has there.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: [Column; 12] = [
    ("services", |row| row.services.to_string()),
    ("AWS's rates", |row| {
        if row.enforced { "enforced" } else { "lifted" }.to_owned()
    }),
    ("all Ready after", |row| format!("{:.0} s", row.seconds)),
    ("calls", |row| row.calls.to_string()),
    ("per service", |row| per_service(row.calls, row)),
    ("throttled", |row| format!("{:.2} %", row.throttled_percent)),
    ("a no-op pass", |row| per_service(row.noop_calls, row)),
    ("a restart", |row| per_service(row.restart_calls, row)),
    ("a sweep", |row| per_service(row.sweep_calls, row)),
    ("apply to first call", |row| {
        format!("{:.0} ms", row.latency_ms)
    }),
    ("peak memory", |row| format!("{} MiB", row.peak_memory_mib)),
    ("CPU", |row| format!("{:.1} s", row.cpu_seconds)),
];

/// Prints the table.
pub(crate) fn rows(rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    say(
        "\nFour Environments. Calls of a no-op pass, a restart and a sweep are per service; memory and CPU until all were Ready.",
    );
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| COLUMNS.iter().map(|(_, cell)| cell(row)).collect())
        .collect();
    for (index, (title, _)) in COLUMNS.iter().enumerate() {
        let values: Vec<String> = cells
            .iter()
            .filter_map(|row| row.get(index))
            .map(|value| format!("{value:>14}"))
            .collect();
        say(&format!("  {title:<20}{}", values.join("")));
    }
    for row in rows {
        let counts = listed(&row.operations);
        say(&format!("  {} services: {counts}", row.services));
    }
}

/// Counts in a line.
pub(crate) fn listed(counts: &BTreeMap<String, usize>) -> String {
    let each = counts.iter().map(|(name, count)| format!("{count} {name}"));
    each.collect::<Vec<_>>().join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_service(calls: usize, row: &Row) -> String {
    format!("{:.3}", calls as f64 / row.services as f64)
}

/// Prints the result of the part with the edit.
pub(crate) fn edit(edit: &Edit) {
    say(&format!(
        "\n{} services in one Environment with AWS's rates enforced, quota share {}:",
        edit.services, edit.share
    ));
    say(&format!(
        "  RegisterTaskDefinition bounds it at {:.1} s; the last one was made after {:.1} s ({:.3} of the bound)",
        edit.bound_seconds,
        edit.last_registration_seconds,
        edit.last_registration_seconds / edit.bound_seconds
    ));
    say(&format!(
        "  all were Ready after {:.1} s ({:.3} of the bound)",
        edit.seconds,
        edit.seconds / edit.bound_seconds
    ));
    say(&format!(
        "  throttled: {} of {} calls",
        edit.throttled, edit.calls
    ));
    say(&format!(
        "  a service edited in the middle: registered {:.2} s and updated {:.2} s after the edit",
        edit.registered_after_seconds, edit.updated_after_seconds
    ));
    say(&format!(
        "  peak memory {} MiB, CPU {:.1} s",
        edit.peak_memory_mib, edit.cpu_seconds
    ));
}
