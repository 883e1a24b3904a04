{# The point of each curve with the smallest distance, of equal ones that with the fewest accounts. `distances` has the
   columns scheme, as_of_index, population, through_count, distance. #}
{% macro nearest_points(distances) -%}
    {{ return(adapter.dispatch('nearest_points')(distances)) }}
{%- endmacro %}

{% macro duckdb__nearest_points(distances) -%}
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

{# The same by one pass: Spark computes the curve anew wherever it is named. #}
{% macro spark__nearest_points(distances) -%}
    select
        {{ distances }}.scheme,
        {{ distances }}.as_of_index,
        {{ distances }}.population,
        min(
            named_struct(
                'distance', {{ distances }}.distance,
                'through_count', {{ distances }}.through_count
            )
        ).through_count as through_count
    from {{ distances }}
    where {{ distances }}.distance is not null
    group by {{ distances }}.scheme, {{ distances }}.as_of_index, {{ distances }}.population
{%- endmacro %}
