/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"
#include "workdir.h"

static char *directory;

static void remove_directory(void)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	rmdir(directory);
}

static void make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	if (!parent || parent[0] != '/' || strpbrk(parent, " \t\n,\"'\\="))
		parent = "/tmp";
	directory = text("%s/torc-run.XXXXXX", parent);
	if (!mkdtemp(directory))
		die(STATUS_EMULATOR, "%s: %s", directory, strerror(errno));
	atexit(remove_directory);
}

char *workdir_path(const char *name)
{
	if (!directory)
		make_directory();
	return text("%s/%s", directory, name);
}

char *workdir_write(const char *name, const char *content)
{
	char *path = workdir_path(name);
	FILE *file = fopen(path, "we");

	if (!file || fputs(content, file) < 0 || fclose(file))
		die(STATUS_EMULATOR, "%s: %s", path, strerror(errno));
	return path;
}

char *workdir_link(const char *name, const char *target)
{
	char *path = workdir_path(name);

	if (symlink(target, path))
		die(STATUS_EMULATOR, "%s: %s", path, strerror(errno));
	return path;
}
