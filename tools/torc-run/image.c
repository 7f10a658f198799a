/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "image.h"
#include "workdir.h"

/*
 * GRUB quotes anew what it hands to a module: it would put backslashes before these, and quotation
 * marks around a word with a blank. Words of other characters arrive as written.
 */
static const char unpassable[] = "'\"\\";

static void print_words(FILE *config, const char *words)
{
	char *rest = text("%s", words);
	char *word;

	if (strpbrk(words, unpassable))
		die(STATUS_USAGE,
		    "GRUB cannot pass a quotation mark or backslash in '%s'; "
		    "use --firmware kernel",
		    words);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word)
			fprintf(config, " '%s'", word);
}

/*
 * The mark goes to the firmware's console; all that GRUB says afterwards, to the serial port of the
 * hypervisor's log.
 */
static char *make_config(const struct options *options)
{
	char *content;
	size_t size;
	FILE *config = open_memstream(&content, &size);

	if (!config)
		die(STATUS_EMULATOR, "out of memory");
	fprintf(config, "set timeout=0\ninsmod all_video\necho '%s'\n", IMAGE_MARK);
	fputs("serial --unit=1 --speed=115200\nterminal_output serial_com1\n", config);
	fputs("if ! multiboot2 /boot/torc.elf", config);
	for (size_t i = 0; i < options->hypervisor_words.count; i++)
		print_words(config, options->hypervisor_words.items[i]);
	fputs("; then halt; fi\n", config);
	for (size_t i = 0; i < options->module_count; i++) {
		fprintf(config, "if ! module2 /boot/module%zu", i);
		print_words(config, options->modules[i].words);
		fputs("; then halt; fi\n", config);
	}
	fputs("boot\n", config);
	fclose(config);
	return workdir_write("grub.cfg", content);
}

/* xorriso takes PATH-ON-DISC=PATH, with "=" and backslash in a path escaped. */
static void graft(struct list *words, const char *on_disc, const char *path)
{
	char *escaped = calloc(2, strlen(path) + 1);
	char *to = escaped;

	if (!escaped)
		die(STATUS_EMULATOR, "out of memory");
	for (; *path; path++) {
		if (*path == '=' || *path == '\\')
			*to++ = '\\';
		*to++ = *path;
	}
	list_add(words, "%s=%s", on_disc, escaped);
}

char *image_make(const struct options *options)
{
	char *image = workdir_path("boot.iso");
	char *output = workdir_path("grub-mkrescue.log");
	struct list words = { 0 };

	child_require("grub-mkrescue", "grub-common");
	child_require("xorriso", "xorriso");
	child_require("mformat", "mtools");
	child_require("/usr/lib/grub/i386-pc/boot_hybrid.img", "grub-pc-bin");
	child_require("/usr/lib/grub/x86_64-efi/normal.mod", "grub-efi-amd64-bin");
	list_add(&words, "grub-mkrescue");
	list_add(&words, "-o");
	list_add(&words, "%s", image);
	graft(&words, "/boot/grub/grub.cfg", make_config(options));
	graft(&words, "/boot/torc.elf", options->hypervisor);
	for (size_t i = 0; i < options->module_count; i++)
		graft(&words, text("/boot/module%zu", i), options->modules[i].path);
	if (!child_run(words.items, output)) {
		child_show_output(output);
		die(STATUS_EMULATOR, "grub-mkrescue could not make the boot disc");
	}
	return image;
}
