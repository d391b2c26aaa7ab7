/* Prints what the unwinder is given, and what backtrace() makes of the same stack: the registers, the top of
 * the stack, the mappings with the content of the vdso, the addresses. Usage: capture plain|callback|signal|bare|dynamic|thread|deep|wild */
#define _GNU_SOURCE
#include <alloca.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>

enum { MOST = 65536 };
static unsigned char stack[MOST];
static int is_wild;

static size_t rest_of_mapping(uintptr_t address) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    size_t rest = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= address && address < end) rest = end - address;
    }
    fclose(maps);
    return rest < MOST ? rest : MOST;
}

static void print_registers(const ucontext_t *context) {
    const mcontext_t *m = &context->uc_mcontext;
#if defined(__x86_64__)
    /* In the order of perf: ax bx cx dx si di bp sp ip, then r8 to r15. */
    static const int order[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_RIP,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) printf("register %llx\n", (long long)m->gregs[order[i]]);
#elif defined(__i386__)
    static const int order[] = {REG_EAX, REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI, REG_EBP, REG_ESP, REG_EIP};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) printf("register %x\n", (unsigned)m->gregs[order[i]]);
#else
    for (int i = 0; i < 31; i++) printf("register %llx\n", m->regs[i]);
    printf("register %llx\nregister %llx\n", m->sp, m->pc);
#endif
}

static uintptr_t stack_pointer(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__i386__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_ESP];
#else
    return context->uc_mcontext.sp;
#endif
}

static void print_bytes(const char *title, const unsigned char *bytes, size_t size) {
    printf("%s ", title);
    for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\n");
}

static void print_maps(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (fgets(line, sizeof line, maps)) printf("map %s", line);
    const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    if (vdso) print_bytes("vdso", vdso, rest_of_mapping((uintptr_t)vdso));
}

__attribute__((noinline)) static void capture(void) {
    ucontext_t context;
    void *addresses[512];
    getcontext(&context);
    uintptr_t at = stack_pointer(&context);
    size_t size = rest_of_mapping(at);
    memcpy(stack, (void *)at, size);
    /* GCC's unwinder reads the code at each address, even where there is none. */
    int count = is_wild ? 0 : backtrace(addresses, 512);
    print_registers(&context);
    print_bytes("stack", stack, size);
    for (int i = 0; i < count; i++) printf("frame %lx\n", (unsigned long)addresses[i]);
    print_maps();
    fflush(stdout);
    _exit(0);
}

static volatile int sink;

#if defined(__x86_64__)
#include <sys/syscall.h>

/* What a handler returns to in musl: without call frame information. */
void restorer(void);
__asm__(".text\n.type restorer, @function\nnop\nrestorer: mov $15, %rax\nsyscall\n");

static void raise_bare(void (*handler)(int)) {
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {handler, 0x04000000 /* SA_RESTORER */, restorer, 0};
    syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8);
    raise(SIGUSR1);
}
#else
static void raise_bare(void (*handler)(int)) {
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
}
#endif

static int compare(const void *a, const void *b) {
    capture();
    return (int)((const char *)a - (const char *)b);
}

static void on_signal(int number) {
    sink = number;
    capture();
}

static void *in_thread(void *argument) {
    capture();
    return argument;
}

__attribute__((noinline)) static int deep(int n) {
    volatile char local[64];
    local[n & 63] = (char)n;
    if (!n) capture();
    else deep(n - 1);
    return local[0];
}

/* A frame of unknown size, aligned beyond what the ABI gives. */
__attribute__((noinline)) static int dynamic(int n) {
    _Alignas(64) volatile char aligned[64];
    volatile char *room = alloca((size_t)n * 16);
    room[0] = aligned[n & 63] = (char)n;
    deep(3);
    return room[0] + aligned[0];
}

__attribute__((noinline)) static int chosen(const char *how) {
    int numbers[] = {3, 1, 2};
    if (!strcmp(how, "callback")) qsort(numbers, 3, sizeof *numbers, compare);
    if (!strcmp(how, "dynamic")) dynamic((int)strlen(how));
    if (!strcmp(how, "deep")) deep(100);
    if (!strcmp(how, "signal")) {
        signal(SIGUSR1, on_signal);
        raise(SIGUSR1);
    }
    if (!strcmp(how, "bare")) raise_bare(on_signal);
    if (!strcmp(how, "wild")) {
        signal(SIGSEGV, on_signal);
        is_wild = 1;
        void (*volatile nowhere)(void) = (void (*)(void))16;
        nowhere();
    }
    if (!strcmp(how, "thread")) {
        pthread_t thread;
        pthread_create(&thread, NULL, in_thread, NULL);
        pthread_join(thread, NULL);
    }
    capture();
    return sink;
}

int main(int argc, char **argv) {
    /* Its first call loads libgcc, which is no part of what is shown. */
    void *one;
    backtrace(&one, 1);
    return chosen(argc > 1 ? argv[1] : "plain") + sink;
}
