"""Whether a flight will arrive late, from what is known when it departs: trained and served as SageMaker wants it."""
