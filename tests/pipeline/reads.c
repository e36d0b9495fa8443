/* List what the libraries of a process read: a library for LD_PRELOAD.
 *
 * Each line of the file that the environment variable READS names is a variable ("v NAME") or a path that is looked
 * for ("f PATH"). Python's own reads are listed by reads.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void note(char kind, const char *text)
{
    static int file = -1;
    char line[4200];
    size_t size = text ? strlen(text) : 0;

    if (!size || size > 4096)
        return;
    for (char **pair = environ; file < 0 && pair && *pair; pair++)
        if (!strncmp(*pair, "READS=", 6))
            file = syscall(SYS_openat, AT_FDCWD, *pair + 6, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    line[0] = kind;
    line[1] = ' ';
    memcpy(line + 2, text, size);
    line[size + 2] = '\n';
    if (write(file, line, size + 3) < 0)
        return;
}

#define REAL(name) static __typeof__(name) *real; real = real ? real : dlsym(RTLD_NEXT, #name)

char *getenv(const char *name)
{
    REAL(getenv);
    note('v', name);
    return real(name);
}

char *secure_getenv(const char *name) { return getenv(name); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int); \
        va_end(rest); \
        REAL(name); \
        note('f', path); \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define FOPEN(name) \
    FILE *name(const char *path, const char *mode) { REAL(name); note('f', path); return real(path, mode); }
FOPEN(fopen)
FOPEN(fopen64)

int access(const char *path, int mode) { REAL(access); note('f', path); return real(path, mode); }
int stat(const char *path, struct stat *found) { REAL(stat); note('f', path); return real(path, found); }
int stat64(const char *path, struct stat64 *found) { REAL(stat64); note('f', path); return real(path, found); }
