// udp_ping SECONDS: requests and answers of SIP's size over loopback, with nothing between: the server on core 0, the client on
// core 1, 32 under way at a time. The bound for a SIP server's messages. Prints JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST = 600, RESPONSE = 400, WINDOW = 32 };

typedef struct {
    uint64_t answered;
    double cpu;
} report;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int open_socket(void) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval patience = {0, 200000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return s;
}

static void serve(int s, report *shared) {
    char message[2048];
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        if (recvfrom(s, message, sizeof message, 0, (struct sockaddr *)&from, &length) < 0)
            continue;
        sendto(s, message, RESPONSE, 0, (struct sockaddr *)&from, length);
        shared->answered++;
        shared->cpu = cpu_seconds();
    }
}

int main(int count, char **argument) {
    if (count != 2) {
        fprintf(stderr, "usage: udp_ping SECONDS\n");
        return 2;
    }
    report *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = open_socket();
    bind(server, (struct sockaddr *)&address, sizeof address);
    getsockname(server, (struct sockaddr *)&address, &length);
    pid_t child = fork();
    if (!child) {
        pin(0);
        serve(server, shared);
    }

    pin(1);
    int client = open_socket();
    connect(client, (struct sockaddr *)&address, sizeof address);
    char message[2048] = {0};
    double end = now() + atof(argument[1]);
    int under_way = 0;
    while (now() < end) {
        for (; under_way < WINDOW; under_way++)
            send(client, message, REQUEST, 0);
        // Nothing for 200 ms: what was under way is lost.
        under_way = recv(client, message, sizeof message, 0) < 0 ? 0 : under_way - 1;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("{\"requests_per_s\": %.0f, \"server_cpu_us_per_request\": %.2f}\n", shared->answered / atof(argument[1]),
           shared->cpu / shared->answered * 1e6);
    return 0;
}
