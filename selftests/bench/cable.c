// SPDX-License-Identifier: GPL-2.0
/*
 * One direction of a cable with random loss, the same for every stack: a BPF
 * program at the ingress of one device that hands each frame to another one,
 * except for the TCP and XTCP packets that a seeded generator picks.  The n-th
 * packet after `set` is dropped or not by seed and n alone.
 *
 *	cable make FILE DEV	program and state pinned: FILE, FILE-map; frames leave by DEV
 *	cable count FILE	the same without loss: frames go on to the stack
 *	cable set FILE SEED PPM	loss in parts per million; counters back to zero
 *	cable read FILE		`packets P dropped D payload B largest L`: of TCP and XTCP over IPv4; B bytes
 *				not dropped, the largest frame
 *
 * FILE is on a bpf file system; `tc filter ... bpf direct-action object-pinned FILE` attaches it.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct state {
	uint64_t random;	/* xorshift64, never 0 */
	uint64_t threshold;	/* drop where the upper half is below it */
	uint64_t packets, dropped, payload, largest;
};

static char map_file[4096];

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int must(int value, const char *what)
{
	if (value < 0) {
		perror(what);
		exit(1);
	}
	return value;
}

static void pin(int fd, const char *file)
{
	union bpf_attr attr = { .pathname = (uintptr_t)file, .bpf_fd = fd };

	must(bpf(BPF_OBJ_PIN, &attr), file);
}

static int open_map(void)
{
	union bpf_attr attr = { .pathname = (uintptr_t)map_file };

	return must(bpf(BPF_OBJ_GET, &attr), map_file);
}

/* ---- the program ---- */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVI(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define OP(op, d, s)	INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define OPI(op, d, i)	INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)	INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STORE(d, o, s)	INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define JUMP(op, d, i, to)	INSN(BPF_JMP | (op) | BPF_K, d, 0, to, i)
#define JUMP_REG(op, d, s, to)	INSN(BPF_JMP | (op) | BPF_X, d, s, to, 0)
#define CALL(f)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT()		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define PACKET(size, at)	INSN(BPF_LD | BPF_ABS | (size), 0, 0, 0, at)
#define PACKET_AT(size, reg, at)	INSN(BPF_LD | BPF_IND | (size), 0, reg, 0, at)
#define FIELD(name)	offsetof(struct state, name)

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

struct program {
	struct bpf_insn insn[96];
	int n;
};

static void add(struct program *p, struct bpf_insn insn)
{
	p->insn[p->n++] = insn;
}

/* R7 = the state; R8 = bytes of text: the IP packet without both headers */
static void load(struct program *p, int map)
{
	add(p, MOVI(R2, 0));
	add(p, STORE(R10, -8, R2));
	add(p, INSN(BPF_LD | BPF_DW | BPF_IMM, R1, BPF_PSEUDO_MAP_FD, 0, map));
	add(p, INSN(0, 0, 0, 0, 0));
	add(p, MOV(R2, R10));
	add(p, OPI(BPF_ADD, R2, -8));
	add(p, CALL(BPF_FUNC_map_lookup_elem));
	add(p, JUMP(BPF_JNE, R0, 0, 2));
	add(p, MOVI(R0, TC_ACT_SHOT));
	add(p, EXIT());
	add(p, MOV(R7, R0));
	add(p, PACKET(BPF_H, ETH_HLEN + 2));	/* total length */
	add(p, MOV(R8, R0));
	add(p, PACKET(BPF_B, ETH_HLEN));	/* version, header length in words */
	add(p, OPI(BPF_AND, R0, 15));
	add(p, OPI(BPF_LSH, R0, 2));
	add(p, OP(BPF_SUB, R8, R0));
	add(p, MOV(R9, R0));
	add(p, PACKET_AT(BPF_B, R9, ETH_HLEN + 12));	/* data offset */
	add(p, OPI(BPF_RSH, R0, 4));
	add(p, OPI(BPF_LSH, R0, 2));
	add(p, OP(BPF_SUB, R8, R0));
}

static void count(struct program *p, int field, int value)
{
	add(p, LOAD(R1, R7, field));
	if (value < 0)
		add(p, OP(BPF_ADD, R1, R8));
	else
		add(p, OPI(BPF_ADD, R1, value));
	add(p, STORE(R7, field, R1));
}

static void measure(struct program *p)
{
	add(p, INSN(BPF_LDX | BPF_MEM | BPF_W, R1, R6, offsetof(struct __sk_buff, len), 0));
	add(p, LOAD(R2, R7, FIELD(largest)));
	add(p, JUMP_REG(BPF_JGE, R2, R1, 1));
	add(p, STORE(R7, FIELD(largest), R1));
}

static void draw(struct program *p)
{
	static const int shift[] = { 13, -7, 17 };

	add(p, LOAD(R1, R7, FIELD(random)));
	for (int i = 0; i < 3; i++) {
		add(p, MOV(R2, R1));
		add(p, shift[i] > 0 ? OPI(BPF_LSH, R2, shift[i]) : OPI(BPF_RSH, R2, -shift[i]));
		add(p, OP(BPF_XOR, R1, R2));
	}
	add(p, STORE(R7, FIELD(random), R1));
	add(p, OPI(BPF_RSH, R1, 32));
	add(p, LOAD(R2, R7, FIELD(threshold)));
	add(p, JUMP_REG(BPF_JGE, R1, R2, 5));
	count(p, FIELD(dropped), 1);
	add(p, MOVI(R0, TC_ACT_SHOT));
	add(p, EXIT());
}

/* @ifindex 0: frames go on to the stack */
static void pass_on(struct program *p, int ifindex)
{
	if (!ifindex) {
		add(p, MOVI(R0, TC_ACT_OK));
	} else {
		add(p, MOVI(R1, ifindex));
		add(p, MOVI(R2, 0));
		add(p, CALL(BPF_FUNC_redirect));
	}
	add(p, EXIT());
}

static void build(struct program *p, int map, int ifindex)
{
	int other[2];

	add(p, MOV(R6, R1));
	add(p, PACKET(BPF_H, 12));
	other[0] = p->n;
	add(p, JUMP(BPF_JNE, R0, ETH_P_IP, 0));
	add(p, PACKET(BPF_B, ETH_HLEN + 9));
	add(p, JUMP(BPF_JEQ, R0, IPPROTO_TCP, 1));
	other[1] = p->n;
	add(p, JUMP(BPF_JNE, R0, 253, 0));
	load(p, map);
	count(p, FIELD(packets), 1);
	measure(p);
	draw(p);
	count(p, FIELD(payload), -1);
	for (int i = 0; i < 2; i++)
		p->insn[other[i]].off = p->n - other[i] - 1;
	pass_on(p, ifindex);
}

static void make(const char *file, int ifindex)
{
	static char log[65536];
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
		.value_size = sizeof(struct state), .max_entries = 1,
	};
	int map = must(bpf(BPF_MAP_CREATE, &attr), "map"), prog;
	struct program p = { .n = 0 };

	build(&p, map, ifindex);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)p.insn;
	attr.insn_cnt = p.n;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	prog = bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0)
		fputs(log, stderr);
	pin(must(prog, "program"), file);
	pin(map, map_file);
}

/* ---- its state ---- */

static void set(uint64_t seed, uint64_t ppm)
{
	/* splitmix64: neighbouring seeds give unlike sequences */
	uint64_t z = seed * 0x9e3779b97f4a7c15ULL + 0x9e3779b97f4a7c15ULL;
	struct state s = { .threshold = (ppm << 32) / 1000000 };
	union bpf_attr attr = { .map_fd = open_map() };
	uint32_t key = 0;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	s.random = (z ^ z >> 31) | 1;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&s;
	must(bpf(BPF_MAP_UPDATE_ELEM, &attr), "set");
}

static void show(void)
{
	union bpf_attr attr = { .map_fd = open_map() };
	uint32_t key = 0;
	struct state s;

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&s;
	must(bpf(BPF_MAP_LOOKUP_ELEM, &attr), "read");
	printf("packets %llu dropped %llu payload %llu largest %llu\n",
	       (unsigned long long)s.packets, (unsigned long long)s.dropped,
	       (unsigned long long)s.payload, (unsigned long long)s.largest);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	snprintf(map_file, sizeof(map_file), "%s-map", argv[2]);
	if (!strcmp(argv[1], "make") && argc == 4)
		make(argv[2], must((int)if_nametoindex(argv[3]) ?: -1, argv[3]));
	else if (!strcmp(argv[1], "count"))
		make(argv[2], 0);
	else if (!strcmp(argv[1], "set") && argc == 5)
		set(strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	else if (!strcmp(argv[1], "read"))
		show();
	else
		return 2;
	return 0;
}
