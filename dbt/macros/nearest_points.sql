{# The point of each curve with the smallest distance, of equal ones that with the fewest accounts. `distances` has the
   columns scheme, as_of_index, population, through_count, distance. #}
{% macro nearest_points(distances) -%}
    select
        distances.scheme,
        distances.as_of_index,
        distances.population,
        min(distances.through_count) as through_count
    from {{ distances }} as distances
    inner join (
        select
            {{ distances }}.scheme,
            {{ distances }}.as_of_index,
            {{ distances }}.population,
            min({{ distances }}.distance) as distance
        from {{ distances }}
        group by
            {{ distances }}.scheme,
            {{ distances }}.as_of_index,
            {{ distances }}.population
    ) as smallest
        on
            distances.scheme = smallest.scheme
            and distances.as_of_index = smallest.as_of_index
            and distances.population = smallest.population
            and distances.distance = smallest.distance
    group by distances.scheme, distances.as_of_index, distances.population
{%- endmacro %}
