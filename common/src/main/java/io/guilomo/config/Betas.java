package io.guilomo.config;

/** AdamW's decay rates. */
public record Betas(double first, double second) {}
