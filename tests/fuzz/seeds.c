/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Writes the inputs that the fuzzers start from: seeds DIR makes DIR/elf/..., DIR/instruction/...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/batch.h>
#include "batch.h"
#include "elf_file.h"
#include "talk.h"

static const char *top;

static void write_seed(const char *fuzzer, const char *name, const void *bytes, size_t count)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", top, fuzzer);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", top, fuzzer, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void write_elf(void)
{
	struct elf_file file;

	elf_file_make(&file);
	write_seed("elf", "good", &file, sizeof(file));
	file.segment[0].p_type = 0;
	write_seed("elf", "no-note", &file, sizeof(file));
	elf_file_make(&file);
	file.note.type = 2;
	file.note.descsz = 4;
	write_seed("elf", "other-note", &file, sizeof(file));
}

static void write_instructions(void)
{
	static const char *const code[] = {
		"\xfa",
		"\x0f\x20\xc0",
		"\x44\x0f\x20\xc7",
		"\x41\x0f\x22\xd8",
		"\x0f\x30",
		"\xe4\x60",
		"\x66\xed",
		"\xf3\x66\x6d",
		"\x0f\x01\xd1",
		"\x0f\x01\x54\x24\x08",
		"\x41\x0f\x01\x5c\x24\x10",
		"\x0f\x01\xbc\xc8\x11\x22\x33\x44",
		"\x66\x44\x0f\x38\x82\x44\x24\x08",
		"\x0f\x01\x1d\x11\x22\x33\x44",
	};
	char name[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(code); i++) {
		snprintf(name, sizeof(name), "%zu", i);
		write_seed("instruction", name, code[i], strlen(code[i]));
	}
}

/* Offset of RIP; RAX, RCX, RDX, RBX; what RAX is XORed with; when it stops. See emulate.c. */
static void write_emulation(void)
{
	static const char *const code[] = {
		"\0\0" "\xff\xff\xff\x01" "\0\0\0\0" "\0" "\x0f\x20\xc0",
		"\0\1" "\x4e\xff\xff\x01" "\0\0\0\0" "\2" "\x0f\x22\xd8",
		"\xff\x0f" "\x41\xff\xff\x01" "\0\0\0\0" "\0" "\x0f\x23\xc8",
		"\0\0" "\x48\x51\x48\x01" "\0\0\0\0" "\0" "\x0f\x30",
		"\0\0" "\x4a\x48\x48\x01" "\0\0\0\0" "\0" "\x0f\x01\xd1",
		"\0\0" "\x02\x48\x48\x01" "\0\0\0\0" "\0" "\x66\xed\xee\xfa\xfb",
	};
	const size_t header = 11;
	char name[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(code); i++) {
		snprintf(name, sizeof(name), "%zu", i);
		write_seed("emulate", name, code[i], header + strlen(code[i] + header));
	}
}

#define FRONT 128

/* A channel, then copies by grants, then a ring; see talk.c for what the numbers stand for. */
static void write_talk(void)
{
	static const struct talk_step steps[] = {
		{ .what = TALK_BIND, .b = 2 },
		{ .what = FRONT | TALK_BIND, .a = 1, .b = 1, .c = 0 },
		{ .what = TALK_SEND },
		{ .what = TALK_UP, .a = 0 },
		{ .what = TALK_MOVE, .b = 1 },
		{ .what = FRONT | TALK_SEND },
		{ .what = FRONT | TALK_REGISTER, .a = 0, .b = 1 },
		{ .what = FRONT | TALK_GRANT, .a = 1, .b = 1, .c = 1 | 7 << 2 },
		{ .what = TALK_COPY, .a = 2, .b = 1 | 1 << 4, .c = 100 },
		{ .what = TALK_COPY, .a = 2 << 2, .b = 1 | 1 << 4, .c = 100 },
		{ .what = TALK_MAP_RING, .a = 2, .b = 1 },
		{ .what = FRONT | TALK_SETTLE, .a = 1 },
		{ .what = TALK_UNMAP_RING },
		{ .what = TALK_DOWN, .a = 0 },
		{ .what = FRONT | TALK_CLOSE },
		{ .what = TALK_REARM },
		{ .what = TALK_CLOSE },
		{ .what = FRONT | TALK_END },
	};

	write_seed("talk", "all", steps, sizeof(steps));
	write_seed("talk", "some", steps, sizeof(steps) / 2);
}

#define WRITE(table_, index_, page_, bits_)                                    \
	{                                                                      \
		.table = table_, .index = index_, .page = page_, .bits = bits_ \
	}
#define RUN(...)                         \
	{                                \
		.what = 255, __VA_ARGS__ \
	}

static void write_batches(void)
{
	/*
	 * Pages 0, 1, 2, 3: a tree of four levels; pinned, changed, stopped, loaded, taken apart.
	 */
	static const struct step tree[] = {
		WRITE(0, 0, 1, STEP_TABLE),
		WRITE(1, 0, 2, STEP_TABLE),
		WRITE(2, 0, 3, STEP_TABLE),
		WRITE(3, 0, 10, STEP_RW),
		WRITE(3, 1, 11, STEP_RO),
		WRITE(0, 7, 255, STEP_TABLE),
		RUN(.op = TORC_OP_PIN, .table = 0, .page = 4, .stop = 3),
		RUN(.op = TORC_OP_PIN, .table = 0, .page = 4),
		RUN(.op = TORC_OP_SET, .table = 3, .index = 2, .page = 12, .bits = STEP_RW),
		RUN(.op = TORC_OP_CLEAR_BITS, .table = 3, .count = 200, .page = 2),
		RUN(.op = TORC_OP_FILL, .table = 3, .count = 100, .flags = 2),
		RUN(.op = TORC_OP_NEW_ROOT, .table = 0),
		RUN(.op = TORC_OP_CLEAR, .table = 2, .count = 5, .flags = 1, .stop = 2),
		RUN(.op = TORC_OP_CLEAR, .table = 0, .count = 255, .flags = 2),
		RUN(.op = TORC_OP_UNPIN, .table = 0),
	};
	/* A tree with a foreign frame far down: it falls, and stops while it does. */
	static const struct step falling[] = {
		WRITE(2, 0, 3, STEP_TABLE),
		WRITE(2, 1, 4, STEP_TABLE),
		WRITE(3, 0, 10, STEP_RW),
		WRITE(3, 2, 11, STEP_RW),
		WRITE(2, 9, 0, STEP_FOREIGN),
		RUN(.op = TORC_OP_PIN, .table = 2, .page = 2, .stop = 8),
		RUN(.op = TORC_OP_PIN, .table = 3, .page = 1),
		RUN(.op = TORC_OP_UNPIN, .table = 3),
		RUN(.op = TORC_OP_PIN, .table = 2, .page = 2),
	};
	/* Exchanges that succeed and fail. */
	static const struct step exchange[] = {
		RUN(.op = TORC_OP_PIN, .table = 5, .page = 1),
		RUN(.op = TORC_OP_EXCHANGE, .table = 5, .page = 6, .bits = STEP_RW),
		RUN(.op = TORC_OP_COMPARE_EXCHANGE, .table = 5, .page = 7, .bits = STEP_RO),
		RUN(.op = TORC_OP_COMPARE_EXCHANGE, .table = 5, .page = 7, .bits = STEP_RW,
		    .flags = 8),
		RUN(.op = TORC_OP_SET_KEEP, .table = 5, .page = 5, .bits = STEP_RW),
		RUN(.op = TORC_OP_SET, .table = 5, .page = 6, .bits = STEP_RW, .flags = 64,
		    .raw = { 0, 0, 0, 0, 0, 0, 0x10, 0 }),
		RUN(.op = TORC_OP_CLEAR, .table = 250, .index = 0, .count = 3),
	};

	write_seed("batch", "tree", tree, sizeof(tree));
	write_seed("batch", "falling", falling, sizeof(falling));
	write_seed("batch", "exchange", exchange, sizeof(exchange));
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIRECTORY\n");
		return 2;
	}
	top = argv[1];
	mkdir(top, 0777);
	write_elf();
	write_instructions();
	write_batches();
	write_talk();
	write_emulation();
	return 0;
}
