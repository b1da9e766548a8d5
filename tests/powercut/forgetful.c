// Preloaded into the daemon: says that SQLite's log is on the disk without waiting for it, as `synchronous=NORMAL` does.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int forgotten(int fd) {
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length >= 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

static int genuine(const char *name, int fd) {
    int (*call)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return call(fd);
}

int fsync(int fd) {
    return forgotten(fd) ? 0 : genuine("fsync", fd);
}

int fdatasync(int fd) {
    return forgotten(fd) ? 0 : genuine("fdatasync", fd);
}
