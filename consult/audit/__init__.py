"""Clinical audit: cases, eligibility, measures, statistics, results, benchmarks; asks no clock and knows no names."""
