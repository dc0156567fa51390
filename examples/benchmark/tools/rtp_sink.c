// rtp_sink PORT PORTS [reflect]: takes the RTP of many calls on PORTS even UDP ports of 127.0.0.1 from PORT on, in one thread, and with
// `reflect` sends each packet back to where it came from: a peer that speaks as often as it is spoken to.
//
// A flow is a source port and an SSRC. Gaps between its packets are taken from the kernel's receive time stamps, which on loopback
// are the moments of sending; loss from its sequence numbers. Ends at SIGTERM and prints one JSON object.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_PORTS = 64, MAX_FLOWS = 1 << 16, BATCH = 64, BINS = 100000 }; // a bin of the histogram is 10 us wide

typedef struct {
    int used;
    uint16_t source_port, last_sequence;
    uint32_t ssrc, last_timestamp, last_length;
    double last_time;
} flow;

static flow flows[MAX_FLOWS];
static uint32_t histogram[BINS];
static uint64_t flow_count, packets, lost, reordered, gaps, gaps_over_25_ms, gaps_over_40_ms;
static double longest_gap;
static int reflects;
static volatile sig_atomic_t stopped;

static void on_signal(int signal) {
    (void)signal;
    stopped = 1;
}

static flow *find_flow(uint16_t source_port, uint32_t ssrc) {
    uint32_t slot = (ssrc * 2654435761u ^ source_port * 40503u) % MAX_FLOWS;
    while (flows[slot].used && (flows[slot].ssrc != ssrc || flows[slot].source_port != source_port))
        slot = (slot + 1) % MAX_FLOWS;
    return &flows[slot];
}

static void count_gap(double seconds) {
    int bin = (int)(seconds * 1e5);
    histogram[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1]++;
    gaps++;
    gaps_over_25_ms += seconds > 0.025;
    gaps_over_40_ms += seconds > 0.040;
    if (seconds > longest_gap)
        longest_gap = seconds;
}

static void take_packet(const unsigned char *packet, uint32_t length, uint16_t source_port, double time) {
    if (length < 12 || packet[0] >> 6 != 2 || ((packet[1] & 127) != 0 && (packet[1] & 127) != 8))
        return; // not G.711 in RTP
    uint16_t sequence = packet[2] << 8 | packet[3];
    uint32_t timestamp, ssrc;
    memcpy(&timestamp, packet + 4, 4);
    memcpy(&ssrc, packet + 8, 4);
    timestamp = ntohl(timestamp);

    flow *f = find_flow(source_port, ssrc);
    if (!f->used) {
        *f = (flow){.used = 1, .source_port = source_port, .ssrc = ssrc};
        flow_count++;
    } else {
        int16_t step = sequence - f->last_sequence;
        if (step <= 0)
            reordered++;
        else
            lost += step - 1;
        // Only where the next packet follows the last one without a pause is the gap the sender's spacing.
        if (step == 1 && !(packet[1] & 128) && timestamp - f->last_timestamp == f->last_length)
            count_gap(time - f->last_time);
    }
    f->last_sequence = sequence;
    f->last_timestamp = timestamp;
    f->last_length = length - 12;
    f->last_time = time;
    packets++;
}

static double kernel_time(struct msghdr *message) {
    struct timespec time = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&time, CMSG_DATA(c), sizeof time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void drain(int socket) {
    static unsigned char packet[BATCH][2048];
    static char control[BATCH][256];
    struct mmsghdr message[BATCH];
    struct iovec buffer[BATCH];
    struct sockaddr_in from[BATCH];
    for (int count = BATCH; count == BATCH;) {
        memset(message, 0, sizeof message);
        for (int i = 0; i < BATCH; i++) {
            buffer[i] = (struct iovec){packet[i], sizeof packet[i]};
            message[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &buffer[i], 1, control[i], sizeof control[i], 0};
        }
        count = recvmmsg(socket, message, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            take_packet(packet[i], message[i].msg_len, from[i].sin_port, kernel_time(&message[i].msg_hdr));
            if (reflects)
                sendto(socket, packet[i], message[i].msg_len, MSG_DONTWAIT, (struct sockaddr *)&from[i], sizeof from[i]);
        }
    }
}

static int open_port(int port) {
    int s = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20, on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(s, (struct sockaddr *)&address, sizeof address)) {
        perror("bind");
        exit(1);
    }
    return s;
}

static double percentile_ms(double share) {
    uint64_t count = 0;
    for (int bin = 0; bin < BINS; bin++) {
        count += histogram[bin];
        if (count && count >= share * gaps)
            return bin * 0.01;
    }
    return 0;
}

int main(int count, char **argument) {
    reflects = count == 4 && !strcmp(argument[3], "reflect");
    if (count != 3 && !reflects) {
        fprintf(stderr, "usage: rtp_sink PORT PORTS [reflect]\n");
        return 2;
    }
    int ports = atoi(argument[2]) < MAX_PORTS ? atoi(argument[2]) : MAX_PORTS;
    struct pollfd poll_fd[MAX_PORTS];
    for (int i = 0; i < ports; i++)
        poll_fd[i] = (struct pollfd){open_port(atoi(argument[1]) + 2 * i), POLLIN, 0};
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    while (!stopped) {
        poll(poll_fd, ports, 50);
        for (int i = 0; i < ports; i++)
            if (poll_fd[i].revents & POLLIN)
                drain(poll_fd[i].fd);
    }
    printf("{\"flows\": %lu, \"packets\": %lu, \"lost\": %lu, \"reordered\": %lu, \"gap_p50_ms\": %.2f, \"gap_p99_ms\": %.2f, "
           "\"gap_p999_ms\": %.2f, \"gap_max_ms\": %.2f, \"over_25_ms\": %.6f, \"over_40_ms\": %.6f}\n",
           flow_count, packets, lost, reordered, percentile_ms(.5), percentile_ms(.99), percentile_ms(.999), longest_gap * 1e3,
           gaps ? (double)gaps_over_25_ms / gaps : 0, gaps ? (double)gaps_over_40_ms / gaps : 0);
    return 0;
}
