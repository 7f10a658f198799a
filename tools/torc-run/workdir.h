/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A directory for the files of one run. It goes away when the program ends.
 */
#ifndef WORKDIR_H
#define WORKDIR_H

#include <stdio.h>

/**
 * workdir_path() - path of a file in the work directory, which the first call makes
 *
 * The path is absolute and free of blanks and commas.
 */
char *workdir_path(const char *name);

/**
 * workdir_write() - write a whole file
 * Return: its path.
 */
char *workdir_write(const char *name, const char *content);

/**
 * workdir_link() - symbolic link to a file elsewhere
 * @target: an absolute path; may hold any character
 * Return: the link's path.
 */
char *workdir_link(const char *name, const char *target);

#endif
