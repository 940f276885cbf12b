//! One report of many: what all processes of a run did together.

use crate::report::{NodeReport, Report};

/// The sum of the processes' reports, by their numbers, which it keeps.
pub(super) fn sum(reports: Vec<Report>) -> Report {
    let mut all = reports[0].clone();
    for report in &reports[1..] {
        all.workers += report.workers;
        all.elapsed_ms = all.elapsed_ms.max(report.elapsed_ms);
        all.interrupted |= report.interrupted;
        all.rows_in += report.rows_in;
        all.rows_out += report.rows_out;
        all.failed += report.failed;
        all.late += report.late;
        all.peak_memory_bytes = all.peak_memory_bytes.zip(report.peak_memory_bytes).map(|(a, b)| a + b);
        all.watermark_us = all.watermark_us.into_iter().chain(report.watermark_us).min();
        for (node, other) in all.nodes.iter_mut().zip(&report.nodes) {
            add(node, other);
        }
    }
    all.processes = reports;
    all
}

fn add(node: &mut NodeReport, other: &NodeReport) {
    let counters = [
        (&mut node.rows_in, other.rows_in),
        (&mut node.rows_out, other.rows_out),
        (&mut node.failed, other.failed),
        (&mut node.late, other.late),
        (&mut node.calls, other.calls),
        (&mut node.sandbox_ns, other.sandbox_ns),
        (&mut node.host_ns, other.host_ns),
        (&mut node.instances, other.instances),
        (&mut node.recycled, other.recycled),
        (&mut node.bytes, other.bytes),
        (&mut node.state_keys, other.state_keys),
        (&mut node.state_bytes, other.state_bytes),
        (&mut node.stored_bytes, other.stored_bytes),
        (&mut node.held_ns, other.held_ns),
    ];
    for (counter, more) in counters {
        *counter += more;
    }
    node.watermark_us = node.watermark_us.into_iter().chain(other.watermark_us).min();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::report::{Metrics, Node, NodeKind};

    #[test]
    fn counters_are_added_and_each_report_is_kept() {
        let report = |rows: u64, watermark: i64| {
            let metrics = Metrics::new("p", 2, vec![Node::new("source", NodeKind::Source, "in.csv")]);
            metrics.node(0).rows_out.store(rows, Relaxed);
            metrics.node(0).watermark.store(watermark, Relaxed);
            metrics.snapshot()
        };
        let all = sum(vec![report(3, 7), report(4, 5), report(5, i64::MIN)]);
        assert_eq!((all.rows_in, all.workers, all.nodes[0].rows_out, all.watermark_us), (12, 6, 12, Some(5)));
        assert_eq!(all.processes.iter().map(|r| r.rows_in).collect::<Vec<_>>(), [3, 4, 5]);
    }
}
