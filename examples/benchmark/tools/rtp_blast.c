// rtp_blast CALLS SECONDS PORT PORTS: what this machine can send at all: CALLS streams of 50 RTP packets of 172 octets a second, one
// connected socket each, to the ports of rtp_sink. No SIP, no runtime: the bound that a media plane can come near to. Prints JSON.
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { PACKET = 172, TICK_NS = 20000000 };

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static int connect_to(int port) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address)) {
        perror("socket");
        exit(1);
    }
    return s;
}

static void write_header(unsigned char *packet, uint16_t sequence, uint32_t ssrc) {
    uint16_t wire_sequence = htons(sequence);
    uint32_t wire_timestamp = htonl(sequence * 160u), wire_ssrc = htonl(ssrc);
    packet[0] = 0x80;
    packet[1] = 0;
    memcpy(packet + 2, &wire_sequence, 2);
    memcpy(packet + 4, &wire_timestamp, 4);
    memcpy(packet + 8, &wire_ssrc, 4);
}

int main(int count, char **argument) {
    if (count != 5) {
        fprintf(stderr, "usage: rtp_blast CALLS SECONDS PORT PORTS\n");
        return 2;
    }
    int calls = atoi(argument[1]), ticks = atoi(argument[2]) * 50, port = atoi(argument[3]), ports = atoi(argument[4]);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    int *sockets = malloc(calls * sizeof *sockets);
    for (int i = 0; i < calls; i++)
        sockets[i] = connect_to(port + 2 * (i % ports));

    unsigned char packet[PACKET], audio[50 * 160];
    for (size_t i = 0; i < sizeof audio; i++)
        audio[i] = rand();
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    double before = cpu_seconds();
    uint64_t sent = 0;
    for (int tick = 0; tick < ticks; tick++) {
        for (int i = 0; i < calls; i++) {
            write_header(packet, tick, i);
            memcpy(packet + 12, audio + (tick + i) % 50 * 160, 160);
            sent += send(sockets[i], packet, PACKET, 0) == PACKET;
        }
        next.tv_nsec += TICK_NS;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    double used = cpu_seconds() - before;
    printf("{\"calls\": %d, \"sent\": %lu, \"cpu_us_per_packet\": %.2f, \"core_share\": %.3f, \"calls_per_core\": %.0f}\n", calls,
           sent, used / sent * 1e6, used / (ticks * 0.02), sent / used / 50);
    return 0;
}
