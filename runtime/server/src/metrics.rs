//! The process's numbers, as an operator reads them.

use api::Metric;

use crate::services::Services;

/// Everything that is counted, as of now.
pub(crate) async fn collect(services: &Services) -> Vec<Metric> {
    let mut metrics = vec![metric("calls", services.live.count() as u64)];
    if let Some(sip) = services.endpoint.counters().await {
        metrics.extend([
            metric("sip_requests_total", sip.requests),
            metric("sip_responses_total", sip.responses),
            metric("sip_malformed_total", sip.malformed),
            metric("sip_refused_total", sip.refused),
            metric("sip_overloaded_total", sip.overloaded),
            metric(
                "sip_retransmissions_absorbed_total",
                sip.retransmissions_absorbed,
            ),
            metric("sip_retransmissions_sent_total", sip.retransmissions_sent),
            metric("sip_strays_total", sip.strays),
        ]);
    }
    let lost = &services.lost_calls;
    metrics.extend([
        metric("dialogs_kept_total", lost.kept()),
        metric("calls_hung_up_late_total", lost.hung_up()),
    ]);
    let media = services.media.counters();
    metrics.extend([
        metric("rtp_legs", media.legs as u64),
        metric("rtp_packets_sent_total", media.sent),
        metric("rtp_send_errors_total", media.send_errors),
        metric("rtp_packets_received_total", media.received),
        metric("rtp_packets_lost_total", media.lost),
        metric("rtp_packets_refused_total", media.refused),
        metric("rtp_packets_malformed_total", media.malformed),
        metric("rtp_events_dropped_total", media.dropped_events),
        metric("rtp_frames_dropped_total", media.dropped_frames),
        metric("rtp_packets_relayed_total", media.relayed),
        metric("rtp_frames_transcoded_total", media.transcoded),
        metric("rtp_orders_dropped_total", media.dropped_orders),
        metric("rtp_rounds_skipped_total", media.skipped_rounds),
        metric("rtp_slots_late_total", media.late_slots),
        metric("rtp_slot_lateness_max_microseconds", media.max_lateness_us),
        metric(
            "rtp_slot_lateness_p50_microseconds",
            media.lateness_us(0.50).unwrap_or(0),
        ),
        metric(
            "rtp_slot_lateness_p99_microseconds",
            media.lateness_us(0.99).unwrap_or(0),
        ),
    ]);
    metrics
}

const fn metric(name: &'static str, value: u64) -> Metric {
    Metric { name, value }
}
