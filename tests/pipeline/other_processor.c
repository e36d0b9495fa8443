/* Make one process, and those that it starts, run as if on another processor: a library for LD_PRELOAD.
 *
 * Libraries choose their code by what the CPUID instruction says of the processor: instruction sets, vendor, sizes of
 * caches. Linux can make that instruction fault (arch_prctl ARCH_SET_CPUID, on Intel processors); the handler here
 * then answers with what the environment variable OTHER_PROCESSOR says, so that everything runs at full speed, but by
 * the code that the libraries would choose there.
 *
 * OTHER_PROCESSOR: a file with lines of ten hexadecimal numbers: leaf, subleaf (ffffffff: any), and for each of eax,
 * ebx, ecx, edx which bits to replace, and by what.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define MOST 256

static struct { unsigned leaf, subleaf, mask[4], value[4]; } answers[MOST];
static int count;

static void cpuid_works(int yes) { syscall(SYS_arch_prctl, ARCH_SET_CPUID, yes); }

static void answer(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned char *code = (unsigned char *)registers[REG_RIP];
    unsigned leaf = registers[REG_RAX], subleaf = registers[REG_RCX], found[4];

    (void)number, (void)info;
    if (code[0] != 0x0f || code[1] != 0xa2) { /* a fault of another kind */
        signal(SIGSEGV, SIG_DFL);
        return;
    }
    cpuid_works(1);
    __asm__ volatile("cpuid" : "=a"(found[0]), "=b"(found[1]), "=c"(found[2]), "=d"(found[3]) : "a"(leaf), "c"(subleaf));
    cpuid_works(0);
    for (int i = 0; i < count; i++)
        if (answers[i].leaf == leaf && (answers[i].subleaf == 0xffffffffu || answers[i].subleaf == subleaf))
            for (int j = 0; j < 4; j++)
                found[j] = (found[j] & ~answers[i].mask[j]) | (answers[i].value[j] & answers[i].mask[j]);
    registers[REG_RAX] = found[0];
    registers[REG_RBX] = found[1];
    registers[REG_RCX] = found[2];
    registers[REG_RDX] = found[3];
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void)
{
    const char *name = getenv("OTHER_PROCESSOR");
    FILE *file = name ? fopen(name, "r") : NULL;
    char line[512];

    if (!file)
        return;
    while (count < MOST && fgets(line, sizeof line, file)) {
        unsigned a[10];
        if (sscanf(line, "%x %x %x %x %x %x %x %x %x %x", a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8, a + 9) < 10)
            continue;
        answers[count].leaf = a[0];
        answers[count].subleaf = a[1];
        for (int j = 0; j < 4; j++) {
            answers[count].mask[j] = a[2 + 2 * j];
            answers[count].value[j] = a[3 + 2 * j];
        }
        count++;
    }
    fclose(file);
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigaction(SIGSEGV, &action, NULL);
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0)) {
        perror("other_processor: this processor cannot make CPUID fault");
        _exit(9);
    }
}
