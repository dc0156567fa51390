// rtp_sink PORT PORTS [reflect|speak]: takes the RTP of many calls on PORTS even UDP ports of 127.0.0.1 from PORT on, in one thread.
// With `reflect` it sends each packet back to where it came from: a peer that speaks as often as it is spoken to. With `speak` it sends
// noise in G.711, a packet each 20 ms, to every flow that it has heard of: a peer that speaks by its own clock.
//
// A flow is a source port and an SSRC. Gaps between its packets are taken from the kernel's receive time stamps, which on loopback
// are the moments of sending; loss from its sequence numbers. SIGUSR1 begins the count anew, for calls that are all up. Ends at SIGTERM and
// prints one JSON object.
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
enum { HEADER = 12, FRAME = 160, TICK_MS = 20, OPUS = 111, EVENTS = 101 };

typedef struct {
    int used, socket, payload_type;
    struct sockaddr_in source;
    uint16_t source_port, last_sequence;
    uint32_t ssrc, last_timestamp, last_length;
    double last_time;
} flow;

static flow flows[MAX_FLOWS];
static uint32_t histogram[BINS];
static uint64_t speaking, sources, packets, lost, reordered, gaps, gaps_over_25_ms, gaps_over_40_ms;
static double longest_gap;
static int reflects, speaks;
static flow *heard[MAX_FLOWS]; // the first flow of each source port, in the order of their first packets
static char heard_port[MAX_FLOWS], counted_port[MAX_FLOWS];
static volatile sig_atomic_t stopped, begins_anew;

static void on_signal(int signal) {
    if (signal == SIGUSR1)
        begins_anew = 1;
    else
        stopped = 1;
}

static void begin_anew(void) {
    begins_anew = 0;
    memset(histogram, 0, sizeof histogram);
    memset(counted_port, 0, sizeof counted_port);
    sources = packets = lost = reordered = gaps = gaps_over_25_ms = gaps_over_40_ms = 0;
    longest_gap = 0;
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

// How far the timestamp of a packet's successor is from its own: a byte a unit in G.711 and G.722, 20 ms of 48 kHz in Opus.
static uint32_t units(const unsigned char *packet, uint32_t length) {
    return (packet[1] & 127) == OPUS ? 960 : length - HEADER;
}

static void take_packet(const unsigned char *packet, uint32_t length, const struct sockaddr_in *source, int socket, double time) {
    uint16_t source_port = source->sin_port;
    if (length < HEADER || packet[0] >> 6 != 2 || (packet[1] & 127) == EVENTS)
        return; // no audio in RTP
    uint16_t sequence = packet[2] << 8 | packet[3];
    uint32_t timestamp, ssrc;
    memcpy(&timestamp, packet + 4, 4);
    memcpy(&ssrc, packet + 8, 4);
    timestamp = ntohl(timestamp);

    flow *f = find_flow(source_port, ssrc);
    if (!f->used) {
        *f = (flow){.used = 1, .source_port = source_port, .ssrc = ssrc, .socket = socket, .source = *source, .payload_type = packet[1] & 127};
        if (!heard_port[source_port])
            heard_port[source_port] = 1, heard[speaking++] = f;
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
    f->last_length = units(packet, length);
    f->last_time = time;
    packets++;
    sources += !counted_port[source_port];
    counted_port[source_port] = 1;
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
            take_packet(packet[i], message[i].msg_len, &from[i], socket, kernel_time(&message[i].msg_hdr));
            if (reflects)
                sendto(socket, packet[i], message[i].msg_len, MSG_DONTWAIT, (struct sockaddr *)&from[i], sizeof from[i]);
        }
    }
}

static uint64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000ull + time.tv_nsec / 1000000;
}

// Each flow has one millisecond of the twenty as its own, so that what is sent is spread.
static void speak(uint64_t from_ms, uint64_t to_ms) {
    static unsigned char packet[HEADER + FRAME];
    static uint32_t noise = 1;
    for (uint64_t ms = from_ms; ms < to_ms; ms++)
        for (uint64_t i = ms % TICK_MS; i < speaking; i += TICK_MS) {
            flow *f = heard[i];
            uint16_t sequence = htons(ms / TICK_MS);
            uint32_t timestamp = htonl(ms / TICK_MS * FRAME), ssrc = htonl(i + 1);
            packet[0] = 0x80;
            packet[1] = f->payload_type;
            memcpy(packet + 2, &sequence, 2);
            memcpy(packet + 4, &timestamp, 4);
            memcpy(packet + 8, &ssrc, 4);
            for (int byte = HEADER; byte < HEADER + FRAME; byte++)
                packet[byte] = (noise = noise * 1664525u + 1013904223u) >> 24;
            sendto(f->socket, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&f->source, sizeof f->source);
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
    speaks = count == 4 && !strcmp(argument[3], "speak");
    if (count != 3 && !reflects && !speaks) {
        fprintf(stderr, "usage: rtp_sink PORT PORTS [reflect|speak]\n");
        return 2;
    }
    int ports = atoi(argument[2]) < MAX_PORTS ? atoi(argument[2]) : MAX_PORTS;
    struct pollfd poll_fd[MAX_PORTS];
    for (int i = 0; i < ports; i++)
        poll_fd[i] = (struct pollfd){open_port(atoi(argument[1]) + 2 * i), POLLIN, 0};
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGUSR1, on_signal);
    uint64_t spoken_ms = now_ms();
    while (!stopped) {
        poll(poll_fd, ports, speaks ? 1 : 50);
        for (int i = 0; i < ports; i++)
            if (poll_fd[i].revents & POLLIN)
                drain(poll_fd[i].fd);
        if (begins_anew)
            begin_anew();
        uint64_t ms = now_ms();
        if (speaks)
            speak(spoken_ms, ms);
        spoken_ms = ms;
    }
    printf("{\"sources\": %lu, \"packets\": %lu, \"lost\": %lu, \"reordered\": %lu, \"gap_p50_ms\": %.2f, \"gap_p99_ms\": %.2f, "
           "\"gap_p999_ms\": %.2f, \"gap_max_ms\": %.2f, \"over_25_ms\": %.6f, \"over_40_ms\": %.6f}\n",
           sources, packets, lost, reordered, percentile_ms(.5), percentile_ms(.99), percentile_ms(.999), longest_gap * 1e3,
           gaps ? (double)gaps_over_25_ms / gaps : 0, gaps ? (double)gaps_over_40_ms / gaps : 0);
    return 0;
}
